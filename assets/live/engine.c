/*
 * The forward pass of a Llama-family language model, in float32, over the weights of a GGUF file.
 *
 * It is the arithmetic of the measurements and no approximation of it: weights are unpacked to
 * float32 block by block and every product is a float32 product, as PyTorch does on a processor.
 *
 * Shapes. T tokens of one sequence are read at once, at most BATCH:
 *
 *   stream x   [T][width]              what each block reads and adds to
 *   query      [T][heads · head_width]
 *   key, value [T][groups · head_width], kept for `context` positions of every sequence and block
 *   gate, up   [T][hidden]
 *   logits     [vocabulary]            of one token at a time
 *
 * Memory. The file lies in linear memory as it was fetched, from wherever JavaScript put it, and is
 * read in place: `bind` says where each tensor begins. Behind it `lay_out` puts, in this order, keys,
 * values, the rotary table and the working rows; it returns where they end. There is no allocator,
 * and nothing is imported: JavaScript writes the rotary table, so that no sine is needed here.
 *
 * Sources. Root-mean-square norm: Zhang and Sennrich 2019, arXiv:1910.07467. Rotary positions: Su et
 * al. 2021, arXiv:2104.09864; GGUF stores the rows of query and key so that a pair of coordinates
 * stands side by side. Grouped heads: Ainslie et al. 2023, arXiv:2305.13245. Gated unit: Shazeer 2020,
 * arXiv:2002.05202. Blocks of Q4_1 and Q8_0: ggml-common.h of llama.cpp. Exponential: Cephes, expf.
 */
#include <stdint.h>
#include <wasm_simd128.h>

#define EXPORT(name) __attribute__((export_name(#name))) name
#define BATCH 64
#define MOST_BLOCKS 64
#define MOST_EDITS 64

enum { F32 = 0, Q4_1 = 3, Q8_0 = 8 }; /* types of tensors, by their numbers in GGUF */
enum { UNIT = 32, Q4_1_BYTES = 20, Q8_0_BYTES = 34 }; /* weights, and bytes, of a block */

typedef struct { const uint8_t *data; int32_t type; } Matrix;

typedef struct {
  const float *attention_norm, *mlp_norm;
  Matrix query, key, value, output, gate, up, down;
} Block;

/* What the file's header says; JavaScript writes it before anything else. */
static struct {
  int32_t width, hidden, blocks, heads, groups, head_width, vocabulary, context, sequences;
  float epsilon;
} shape;

/*
 * What is changed on the way. Depth 0 is the embedding, depth l the stream after l blocks.
 *
 *   ADD   x += amount · vector           SET   x = vector
 *   CELL  x += (amount − a) · vector, a = relu(x · encoder + offset), zero up to `threshold`:
 *         a feature of a sparse autoencoder is given another activation, the error kept
 *         [Rajamanoharan et al. 2024, arXiv:2407.14435]; all cells of a depth see the same x
 *   HEAD  what head `head` of block `depth` hands to the output matrix = vector
 */
enum { ADD = 1, SET = 2, HEAD = 3, CELL = 4 };
typedef struct {
  int32_t kind, sequence, depth, head, first, last; /* of the positions first..last */
  float amount, offset, threshold;
  const float *vector, *encoder;
} Edit;

static Block blocks[MOST_BLOCKS];
static Matrix embedding, unembedding;
static const float *final_norm;
static Edit edits[MOST_EDITS];
static int edit_count;
static int32_t ids[BATCH];

/* Placed by lay_out */
static float *keys, *values, *rotary, *stream, *normed, *query, *mixed, *gate, *up, *added, *row,
    *sums, *scores, *lens, *direction, *logits, *seen_stream, *seen_heads;
static int seen_depth;

/* Numbers */

static inline float half(const uint8_t *bytes) {
  uint32_t bits = bytes[0] | bytes[1] << 8;
  union { uint32_t bits; float value; } number = {(bits & 0x7fff) << 13};
  number.value *= 0x1p112f; /* the difference of the exponents' biases, subnormal numbers too */
  number.bits |= (bits & 0x8000) << 16;
  return number.value;
}

static inline float exponential(float x) {
  if (x < -87.0f) return 0.0f;
  if (x > 88.0f) x = 88.0f;
  float n = __builtin_floorf(1.44269504088896341f * x + 0.5f);
  x -= n * 0.693359375f;
  x -= n * -2.12194440e-4f;
  float y = 1.9875691500e-4f;
  y = y * x + 1.3981999507e-3f;
  y = y * x + 8.3334519073e-3f;
  y = y * x + 4.1665795894e-2f;
  y = y * x + 1.6666665459e-1f;
  y = y * x + 5.0000001201e-1f;
  y = y * x * x + x + 1.0f;
  union { int32_t bits; float value; } power = {((int32_t)n + 127) << 23};
  return y * power.value;
}

static inline v128_t add(v128_t a, v128_t b) { return wasm_f32x4_add(a, b); }
static inline v128_t times(const float *a, v128_t b) { return wasm_f32x4_mul(wasm_v128_load(a), b); }

static inline float total(v128_t a) {
  return wasm_f32x4_extract_lane(a, 0) + wasm_f32x4_extract_lane(a, 1) +
         wasm_f32x4_extract_lane(a, 2) + wasm_f32x4_extract_lane(a, 3);
}

static float dot(const float *a, const float *b, int n) {
  v128_t sum = wasm_f32x4_splat(0);
  for (int i = 0; i < n; i += 4) sum = add(sum, times(a + i, wasm_v128_load(b + i)));
  return total(sum);
}

/* Weights: a block of 32 as eight vectors of float32, still to be scaled */

static inline void widen_unsigned(v128_t bytes, v128_t *out) {
  v128_t low = wasm_u16x8_extend_low_u8x16(bytes), high = wasm_u16x8_extend_high_u8x16(bytes);
  out[0] = wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(low));
  out[1] = wasm_f32x4_convert_i32x4(wasm_u32x4_extend_high_u16x8(low));
  out[2] = wasm_f32x4_convert_i32x4(wasm_u32x4_extend_low_u16x8(high));
  out[3] = wasm_f32x4_convert_i32x4(wasm_u32x4_extend_high_u16x8(high));
}

static inline void widen_signed(v128_t bytes, v128_t *out) {
  v128_t low = wasm_i16x8_extend_low_i8x16(bytes), high = wasm_i16x8_extend_high_i8x16(bytes);
  out[0] = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(low));
  out[1] = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(low));
  out[2] = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_low_i16x8(high));
  out[3] = wasm_f32x4_convert_i32x4(wasm_i32x4_extend_high_i16x8(high));
}

static inline void block_of_4(const uint8_t *p, v128_t *out) { /* low halves first */
  v128_t bytes = wasm_v128_load(p + 4);
  widen_unsigned(wasm_v128_and(bytes, wasm_i8x16_splat(15)), out);
  widen_unsigned(wasm_u8x16_shr(bytes, 4), out + 4);
}

static inline void block_of_8(const uint8_t *p, v128_t *out) {
  widen_signed(wasm_v128_load(p + 2), out);
  widen_signed(wasm_v128_load(p + 18), out + 4);
}

static long row_bytes(int type, int columns) {
  if (type == Q4_1) return (long)columns / UNIT * Q4_1_BYTES;
  if (type == Q8_0) return (long)columns / UNIT * Q8_0_BYTES;
  return (long)columns * 4;
}

/* One row of a matrix as float32 */
static const float *unpack(Matrix m, long which, int columns, float *out) {
  const uint8_t *p = m.data + which * row_bytes(m.type, columns);
  if (m.type == F32) return (const float *)p;
  v128_t part[8];
  for (int i = 0; i < columns; i += UNIT) {
    v128_t scale = wasm_f32x4_splat(half(p)), least = wasm_f32x4_splat(0);
    if (m.type == Q4_1) {
      block_of_4(p, part);
      least = wasm_f32x4_splat(half(p + 2));
      p += Q4_1_BYTES;
    } else {
      block_of_8(p, part);
      p += Q8_0_BYTES;
    }
    for (int j = 0; j < 8; j++)
      wasm_v128_store(out + i + 4 * j, add(wasm_f32x4_mul(part[j], scale), least));
  }
  return out;
}

static inline v128_t block_dot(const v128_t *part, const float *in) {
  v128_t a = add(times(in, part[0]), times(in + 8, part[2]));
  v128_t b = add(times(in + 4, part[1]), times(in + 12, part[3]));
  v128_t c = add(times(in + 16, part[4]), times(in + 24, part[6]));
  v128_t d = add(times(in + 20, part[5]), times(in + 28, part[7]));
  return add(add(a, b), add(c, d));
}

/* The products of one input with all rows: a weight is scaled with its block, not one by one */
static void multiply_one(Matrix m, int columns, long rows, const float *in, float *out) {
  const uint8_t *p = m.data;
  v128_t part[8];
  if (m.type == Q4_1)
    for (int i = 0; i < columns; i += UNIT) {
      v128_t sum = wasm_v128_load(in + i);
      for (int j = 4; j < UNIT; j += 4) sum = add(sum, wasm_v128_load(in + i + j));
      sums[i / UNIT] = total(sum);
    }
  for (long r = 0; r < rows; r++) {
    v128_t sum = wasm_f32x4_splat(0);
    float least = 0;
    if (m.type == F32) {
      out[r] = dot((const float *)p, in, columns);
      p += 4L * columns;
      continue;
    }
    if (m.type == Q4_1)
      for (int i = 0; i < columns; i += UNIT, p += Q4_1_BYTES) {
        block_of_4(p, part);
        sum = add(sum, wasm_f32x4_mul(block_dot(part, in + i), wasm_f32x4_splat(half(p))));
        least += sums[i / UNIT] * half(p + 2);
      }
    else
      for (int i = 0; i < columns; i += UNIT, p += Q8_0_BYTES) {
        block_of_8(p, part);
        sum = add(sum, wasm_f32x4_mul(block_dot(part, in + i), wasm_f32x4_splat(half(p))));
      }
    out[r] = total(sum) + least;
  }
}

/* out[t][r] = row r of m · in[t]; of several inputs, each row is unpacked once */
static void multiply(Matrix m, int columns, int rows, const float *in, float *out, int count) {
  if (count == 1) {
    multiply_one(m, columns, rows, in, out);
    return;
  }
  for (int r = 0; r < rows; r++) {
    const float *w = unpack(m, r, columns, row);
    int t = 0;
    for (; t + 4 <= count; t += 4) {
      const float *a = in + t * columns, *b = a + columns, *c = b + columns, *d = c + columns;
      v128_t s0 = wasm_f32x4_splat(0), s1 = s0, s2 = s0, s3 = s0;
      for (int i = 0; i < columns; i += 4) {
        v128_t weight = wasm_v128_load(w + i);
        s0 = add(s0, times(a + i, weight));
        s1 = add(s1, times(b + i, weight));
        s2 = add(s2, times(c + i, weight));
        s3 = add(s3, times(d + i, weight));
      }
      out[t * rows + r] = total(s0);
      out[(t + 1) * rows + r] = total(s1);
      out[(t + 2) * rows + r] = total(s2);
      out[(t + 3) * rows + r] = total(s3);
    }
    for (; t < count; t++) out[t * rows + r] = dot(w, in + t * columns, columns);
  }
}

/* The parts of a block */

static void norm(const float *in, const float *weight, float *out) {
  float scale = 1.0f / __builtin_sqrtf(dot(in, in, shape.width) / shape.width + shape.epsilon);
  for (int i = 0; i < shape.width; i++) out[i] = in[i] * scale * weight[i];
}

static void rotate(float *head, int position) {
  const float *turn = rotary + (long)position * shape.head_width; /* cosine, sine of each pair */
  for (int i = 0; i < shape.head_width; i += 2) {
    float a = head[i], b = head[i + 1], cosine = turn[i], sine = turn[i + 1];
    head[i] = a * cosine - b * sine;
    head[i + 1] = a * sine + b * cosine;
  }
}

static long cache_row(int sequence, int block, int position) {
  long place = ((long)sequence * shape.blocks + block) * shape.context + position;
  return place * shape.groups * shape.head_width;
}

/* One token's attention, all heads; `scores` keeps that of the last token read, for every block */
static void attend(int sequence, int block, int position, const float *q, float *out) {
  int size = shape.head_width, stride = shape.groups * size;
  float scale = 1.0f / __builtin_sqrtf((float)size);
  for (int h = 0; h < shape.heads; h++, q += size, out += size) {
    int group = h / (shape.heads / shape.groups) * size;
    const float *key = keys + cache_row(sequence, block, 0) + group;
    const float *value = values + cache_row(sequence, block, 0) + group;
    float *weight = scores + ((long)block * shape.heads + h) * shape.context;
    float most = -1e30f, sum = 0;
    for (int j = 0; j <= position; j++) {
      weight[j] = dot(q, key + (long)j * stride, size) * scale;
      if (weight[j] > most) most = weight[j];
    }
    for (int j = 0; j <= position; j++) sum += weight[j] = exponential(weight[j] - most);
    for (int i = 0; i < size; i++) out[i] = 0;
    for (int j = 0; j <= position; j++) {
      weight[j] /= sum;
      v128_t share = wasm_f32x4_splat(weight[j]);
      for (int i = 0; i < size; i += 4)
        wasm_v128_store(out + i, add(wasm_v128_load(out + i), times(value + j * stride + i, share)));
    }
  }
}

/* How much of its vector an edit adds to x */
static float share(const Edit *e, const float *x) {
  if (e->kind == ADD) return e->amount;
  float active = dot(x, e->encoder, shape.width) + e->offset;
  return e->amount - (active > 0 && active > e->threshold ? active : 0);
}

static void edit_stream(int sequence, int depth, int start, int count) {
  for (int t = 0; t < count; t++) {
    float *x = stream + t * shape.width, *more = added + t * shape.width;
    for (int i = 0; i < shape.width; i++) more[i] = 0;
    for (const Edit *e = edits; e < edits + edit_count; e++) {
      if (e->kind == HEAD || e->depth != depth || e->sequence != sequence) continue;
      if (start + t < e->first || start + t > e->last) continue;
      if (e->kind == SET)
        __builtin_memcpy(x, e->vector, shape.width * 4L);
      else {
        float amount = share(e, x);
        for (int i = 0; i < shape.width; i++) more[i] += amount * e->vector[i];
      }
    }
    for (int i = 0; i < shape.width; i++) x[i] += more[i];
  }
}

static void edit_heads(int sequence, int block, int start, int count) {
  int size = shape.head_width;
  for (const Edit *e = edits; e < edits + edit_count; e++) {
    if (e->kind != HEAD || e->depth != block || e->sequence != sequence) continue;
    for (int t = 0; t < count; t++)
      if (start + t >= e->first && start + t <= e->last)
        __builtin_memcpy(mixed + (t * shape.heads + e->head) * size, e->vector, size * 4);
  }
}

/* What is to be read at a depth: the contrast through the lens, and the stream if it is asked for */
static void look(int sequence, int depth, int start, int count) {
  edit_stream(sequence, depth, start, count);
  for (int t = 0; t < count; t++) {
    norm(stream + t * shape.width, final_norm, normed);
    lens[t * (shape.blocks + 1) + depth] = dot(normed, direction, shape.width);
  }
  if (depth == seen_depth) __builtin_memcpy(seen_stream, stream, count * shape.width * 4L);
}

static void read_block(int sequence, int l, int start, int count) {
  const Block *b = &blocks[l];
  int width = shape.width, size = shape.head_width;
  int queries = shape.heads * size, pairs = shape.groups * size;
  float *key = keys + cache_row(sequence, l, start), *value = values + cache_row(sequence, l, start);
  for (int t = 0; t < count; t++) norm(stream + t * width, b->attention_norm, normed + t * width);
  multiply(b->query, width, queries, normed, query, count);
  multiply(b->key, width, pairs, normed, key, count);
  multiply(b->value, width, pairs, normed, value, count);
  for (int t = 0; t < count; t++) {
    for (int h = 0; h < shape.heads; h++) rotate(query + t * queries + h * size, start + t);
    for (int h = 0; h < shape.groups; h++) rotate(key + t * pairs + h * size, start + t);
  }
  for (int t = 0; t < count; t++)
    attend(sequence, l, start + t, query + t * queries, mixed + t * queries);
  edit_heads(sequence, l, start, count);
  if (l + 1 == seen_depth) __builtin_memcpy(seen_heads, mixed, count * queries * 4L);
  multiply(b->output, queries, width, mixed, added, count);
  for (int i = 0; i < count * width; i++) stream[i] += added[i];
  for (int t = 0; t < count; t++) norm(stream + t * width, b->mlp_norm, normed + t * width);
  multiply(b->gate, width, shape.hidden, normed, gate, count);
  multiply(b->up, width, shape.hidden, normed, up, count);
  for (int i = 0; i < count * shape.hidden; i++)
    gate[i] = gate[i] / (1.0f + exponential(-gate[i])) * up[i];
  multiply(b->down, shape.hidden, width, gate, added, count);
  for (int i = 0; i < count * width; i++) stream[i] += added[i];
}

/* What JavaScript calls */

void *EXPORT(shape_at)(void) { return &shape; }
int32_t *EXPORT(ids_at)(void) { return ids; }
float *EXPORT(rotary_at)(void) { return rotary; }
float *EXPORT(lens_at)(void) { return lens; }
float *EXPORT(scores_at)(void) { return scores; }
float *EXPORT(stream_at)(void) { return seen_stream; }
float *EXPORT(heads_at)(void) { return seen_heads; }
Edit *EXPORT(edits_at)(void) { return edits; }

static float *place(float **at, long floats) {
  float *here = *at;
  *at += (floats + 3) / 4 * 4;
  return here;
}

/* Places everything from `at` on, a multiple of 16, and returns the end; writes nothing there. */
float *EXPORT(lay_out)(float *at) {
  long queries = shape.heads * shape.head_width, pairs = shape.groups * shape.head_width;
  long cached = (long)shape.sequences * shape.blocks * shape.context * pairs;
  long widest = shape.hidden > queries ? shape.hidden : queries;
  if (widest < shape.width) widest = shape.width;
  keys = place(&at, cached);
  values = place(&at, cached);
  rotary = place(&at, (long)shape.context * shape.head_width);
  stream = place(&at, BATCH * shape.width);
  normed = place(&at, BATCH * shape.width);
  added = place(&at, BATCH * shape.width);
  query = place(&at, BATCH * queries);
  mixed = place(&at, BATCH * queries);
  gate = place(&at, BATCH * shape.hidden);
  up = place(&at, BATCH * shape.hidden);
  row = place(&at, widest);
  sums = place(&at, widest / UNIT + 1);
  scores = place(&at, (long)shape.blocks * shape.heads * shape.context);
  lens = place(&at, BATCH * (shape.blocks + 1));
  direction = place(&at, shape.width);
  logits = place(&at, shape.vocabulary);
  seen_stream = place(&at, BATCH * shape.width);
  seen_heads = place(&at, BATCH * queries);
  seen_depth = -1;
  return at;
}

/* Says where a tensor lies. The slots are in the order of the names in engine.js. */
void EXPORT(bind)(int slot, int block, const uint8_t *data, int type) {
  Matrix m = {data, type};
  Block *b = &blocks[block];
  switch (slot) {
    case 0: embedding = m; break;
    case 1: unembedding = m; break;
    case 2: final_norm = (const float *)data; break;
    case 3: b->attention_norm = (const float *)data; break;
    case 4: b->query = m; break;
    case 5: b->key = m; break;
    case 6: b->value = m; break;
    case 7: b->output = m; break;
    case 8: b->mlp_norm = (const float *)data; break;
    case 9: b->gate = m; break;
    case 10: b->up = m; break;
    case 11: b->down = m; break;
  }
}

/* The contrast that the lens shows: logit of one token minus logit of another. */
void EXPORT(contrast)(int plus, int minus) {
  const float *w = unpack(unembedding, plus, shape.width, row);
  for (int i = 0; i < shape.width; i++) direction[i] = w[i];
  w = unpack(unembedding, minus, shape.width, row);
  for (int i = 0; i < shape.width; i++) direction[i] -= w[i];
}

/* How many edits count, and the depth at which the stream, and the heads before it, are kept. */
void EXPORT(intervene)(int count) { edit_count = count; }
void EXPORT(watch)(int depth) { seen_depth = depth; }

/* Reads `count` tokens of `ids` into a sequence at position `start`; what stood behind is dropped. */
void EXPORT(read)(int sequence, int start, int count) {
  for (int t = 0; t < count; t++) {
    const float *w = unpack(embedding, ids[t], shape.width, row);
    __builtin_memcpy(stream + t * shape.width, w, shape.width * 4L);
  }
  look(sequence, 0, start, count);
  for (int l = 0; l < shape.blocks; l++) {
    read_block(sequence, l, start, count);
    look(sequence, l + 1, start, count);
  }
}

/* Makes the first `count` positions of one sequence those of another, too. */
void EXPORT(copy)(int from, int to, int count) {
  long bytes = (long)count * shape.groups * shape.head_width * 4;
  for (int l = 0; l < shape.blocks; l++) {
    __builtin_memcpy(keys + cache_row(to, l, 0), keys + cache_row(from, l, 0), bytes);
    __builtin_memcpy(values + cache_row(to, l, 0), values + cache_row(from, l, 0), bytes);
  }
}

/* The logits behind the t-th of the tokens that were read last. */
float *EXPORT(logits_after)(int t) {
  norm(stream + t * shape.width, final_norm, normed);
  multiply_one(unembedding, shape.width, shape.vocabulary, normed, logits);
  return logits;
}

/* log Σ exp(logit / temperature), of the logits that were worked out last. */
double EXPORT(log_total)(float temperature) {
  float most = logits[0];
  double sum = 0;
  for (int i = 1; i < shape.vocabulary; i++)
    if (logits[i] > most) most = logits[i];
  for (int i = 0; i < shape.vocabulary;) {
    float part = 0;
    for (int n = i + 64 < shape.vocabulary ? i + 64 : shape.vocabulary; i < n; i++)
      part += exponential((logits[i] - most) / temperature);
    sum += part;
  }
  /* ln by its exponent and a series in (m − 1) / (m + 1), for m between 1 and 2 */
  int power = 0;
  while (sum >= 2) sum /= 2, power++;
  double z = (sum - 1) / (sum + 1), square = z * z, term = z, series = 0;
  for (int i = 1; i < 40; i += 2, term *= square) series += term / i;
  return most / temperature + 2 * series + power * 0.69314718055994530942;
}
