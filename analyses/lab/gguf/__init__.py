"""Models that come as GGUF files, as folders that transformers can open."""
