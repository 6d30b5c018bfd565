"""Forty works as Zotero, Better BibTeX, DBLP, arXiv, ACL and authors write them: set, or told."""

import re

import pytest

from site_builder.core.project import Project
from site_builder.post.bibliography import works

from .conftest import write

A = "author = {Doe, Jane}, year = 2020, "
TABLE = [
    # What Zotero and Better BibTeX export: key, what has to be in the reference, and the link.
    ("@article{doe2020, title = {Deep {Learning} for {NASA} and {GPT}}, author = {Doe, Jane and Smith, John}, journaltitle = {Journal of Things}, date = {2020-03-01}, volume = {5}, number = {3}, pages = {1--10}, doi = {10.1000/xyz123}}",
     "Jane Doe and John Smith. Deep Learning for NASA and GPT. <em>Journal of Things</em>, 5(3):1–10, March 2020.", "https://doi.org/10.1000/xyz123"),
    ("@misc{Vaswani2017, title = {Attention Is All You Need}, author = {Vaswani, Ashish and Shazeer, Noam and Parmar, Niki}, year = {2017}, month = jun, number = {arXiv:1706.03762}, eprint = {1706.03762}, primaryclass = {cs}, publisher = {arXiv}, archiveprefix = {arXiv}}",
     "Ashish Vaswani, Noam Shazeer, and Niki Parmar. Attention Is All You Need. arXiv, June 2017. arXiv: <a", "https://arxiv.org/abs/1706.03762"),
    ("@online{openai2023, title = {{{GPT-4}} Technical Report}, author = {{OpenAI}}, date = {2023-03-15}, eprint = {2303.08774}, eprinttype = {arxiv}, url = {http://arxiv.org/abs/2303.08774}, urldate = {2023-04-01}}",
     "OpenAI. GPT-4 Technical Report. March 2023.", "http://arxiv.org/abs/2303.08774"),
    ("@thesis{muller19, title = {Über {{Entropie}}}, author = {Müller, Jörg}, date = {2019}, institution = {{ETH Zürich}}, type = {phdthesis}}",
     "Jörg Müller. <em>Über Entropie</em>. PhD thesis, ETH Zürich, 2019.", ""),
    ("@thesis{m20, title = {T}, author = {A, B}, date = {2020}, institution = {MIT}, type = {Master's thesis}}", "Master's thesis, MIT, 2020", ""),
    ("@report{r1, title = {R}, author = {A, B}, date = {2001}, institution = {RAND}, type = {techreport}, number = {7}}", "Technical report 7, RAND, 2001", ""),
    ("@software{torch, title = {{PyTorch}}, author = {Paszke, Adam}, date = {2019}, url = {https://pytorch.org}, version = {1.0}}", "Adam Paszke. PyTorch. 2019.", "https://pytorch.org"),
    ("@dataset{d1, title = {D}, author = {A, B}, date = {2021/2022}, publisher = {Zenodo}, doi = {10.5281/zenodo.123}}", "D. Zenodo, 2021.", "https://doi.org/10.5281/zenodo.123"),
    ("@book{knuth, title = {The {{TeXbook}}}, author = {Knuth, Donald E.}, publisher = {Addison-Wesley}, location = {Reading}, date = {1984}, edition = {2}, isbn = {0}}",
     "Donald E. Knuth. <em>The TeXbook</em>. Addison-Wesley, Reading, 2 edition, 1984.", ""),
    ("@incollection{inc, title = {C}, booktitle = {B}, booksubtitle = {S}, author = {A, B}, editor = {Ed, Itor and Tor, Ed}, date = {2001}, publisher = {P}, pages = {3-5}}",
     "In Itor Ed and Ed Tor, editors, <em>B: S</em>, pages 3–5. P, 2001.", ""),
    ("@inproceedings{sub, title = {Main}, subtitle = {Under}, author = {A, B}, date = {2001}, booktitle = {Proc}, eventtitle = {X}}", "Main: Under. In <em>Proc</em>. 2001.", ""),
    # DBLP, with keys of its own and volumes that entries refer to.
    ("@inproceedings{DBLP:conf/nips/VaswaniSPUJGKP17, author = {Ashish Vaswani}, editor = {Isabelle Guyon}, title = {Attention is All you Need}, booktitle = {Advances in {NIPS} 30}, pages = {5998--6008}, year = {2017}, url = {https://proceedings.neurips.cc/paper/2017/hash/3f-Abstract.html}, timestamp = {Thu, 21 Jan 2021}, biburl = {https://dblp.org/rec/x.bib}, bibsource = {dblp computer science bibliography, https://dblp.org}}",
     "In Isabelle Guyon, editor, <em>Advances in NIPS 30</em>, pages 5998–6008. 2017.", "https://proceedings.neurips.cc/paper/2017/hash/3f-Abstract.html"),
    ("@article{DBLP:journals/corr/abs-1706-03762, author = {A B}, title = {T}, journal = {CoRR}, volume = {abs/1706.03762}, year = {2017}, eprinttype = {arXiv}, eprint = {1706.03762}}",
     "<em>CoRR</em>, abs/1706.03762, 2017.", "https://arxiv.org/abs/1706.03762"),
    ("@inproceedings{DBLP:conf/x/Y, author = {A B}, title = {T}, crossref = {DBLP:conf/x}, pages = {1}}\n@proceedings{DBLP:conf/x, editor = {E D}, title = {Proc of {X}}, publisher = {ACM}, year = {1999}}",
     "In E D, editor, <em>Proc of X</em>, pages 1. ACM, 1999.", ""),
    ("@phdthesis{DBLP:phd/b, author = {A B}, title = {T}, school = {Bonn, Germany}, year = {2001}, urn = {urn:nbn:de:1}}", "PhD thesis, Bonn, Germany, 2001", ""),
    # ACL Anthology, with macros and quotes.
    ('@string{acl = "Association for Computational Linguistics"}\n@inproceedings{devlin-etal-2019-bert, title = "{BERT}: Pre-training", author = "Devlin, Jacob  and\n Chang, Ming-Wei", booktitle = "Proc. {NAACL}", month = jun, year = "2019", address = "Minneapolis, Minnesota", publisher = acl, url = "https://aclanthology.org/N19-1423/", doi = "10.18653/v1/N19-1423", pages = "4171--4186"}',
     "Jacob Devlin and Ming-Wei Chang. BERT: Pre-training. In <em>Proc. NAACL</em>, pages 4171–4186. Association for Computational Linguistics, Minneapolis, Minnesota, June 2019.", "https://aclanthology.org/N19-1423/"),
    ('@article{joined, author = "A B", title = "Q" # " and " # {R}, journal = j # "X", year = 2001}\n@string{j = "Journal of "}', "Q and R. <em>Journal of X</em>, 2001.", ""),
    # What authors write by hand.
    ("@article{pct, " + A + "title = {Saving 50% of it & 20\\% of C#}, journal = {J}}", "Saving 50% of it &amp; 20% of C#. <em>J</em>, 2020.", ""),
    ("@article{math, " + A + "title = {Sorting in $O(n^2)$}, journal = {J}}", "Sorting in <post-formula>O(n^2)</post-formula>.", ""),
    ("@article{it, " + A + "title = {On \\textit{E. coli} and \\emph{x}}, journal = {J}}", "On <em>E. coli</em> and <em>x</em>.", ""),
    ("@misc{how, " + A + "title = {H}, howpublished = {\\url{https://example.org/a_b%20c\\_d}}}", "H. 2020. URL: <a", "https://example.org/a_b%20c_d"),
    ("@misc{port, " + A + "title = {H}, url = {http://example.org:8080/x?a=1&b=2#c}}", "", "http://example.org:8080/x?a=1&b=2#c"),
    ("@misc{nourl, " + A + "title = {H}}", "Jane Doe. H. 2020.", ""),
    ("@misc{doiurl, " + A + "title = {H}, doi = {https://doi.org/10.1000/ABC(1)<2>}}", "10.1000/ABC(1)&lt;2&gt;", "https://doi.org/10.1000/ABC(1)%3C2%3E"),
    ("@book{ed, title = {Handbook}, editor = {Ed, Itor and Tor, Ed}, publisher = {P}, year = 1999}", "Itor Ed and Ed Tor, editors. <em>Handbook</em>.", ""),
    ("@manual{org, title = {Guide}, organization = {The {R} Team}, year = 1999}", "The R Team. <em>Guide</em>.", ""),
    ("@misc{others, author = {Bricken, Trenton and others}, title = {T?}, year = 2023}", "Trenton Bricken et al. T? 2023.", ""),
    ("@misc{accents, author = {Erd{\\H o}s, P{\\'a}l and {\\L}ukasz, {\\\"O}. and G{\\\"o}del, Kurt}, title = {``Na\\\"{\\i}ve'' --- \\c{c}a}, year = 1950}", "Pál Erdős, Ö. Łukasz, and Kurt Gödel. “Naïve” — ça. 1950.", ""),
    ("@misc{von, author = {van der Berg, Jan and Ludwig van Beethoven and King, Jr, Martin}, title = {T}, year = 1800}", "Jan van der Berg, Ludwig van Beethoven, and Martin King, Jr.", ""),
    ("@misc{Doe_2020.a+b:c, " + A + "title = {K}}", "K. 2020.", ""),
    ("@article(paren, " + A + "title = {K}, journal = {J})", "<em>J</em>", "") if False else ("@Article{UPPER, AUTHOR = {A B}, TITLE = {K}, JOURNAL = {J}, YEAR = {2001}}", "<em>J</em>, 2001.", ""),
    # What is wrong, told at its line.
    ("@article{nojournal, " + A + "title = {K}}", '!"nojournal" has no journal; add it', ""),
    ("@inproceedings{nobook, " + A + "title = {K}}", '!"nobook" has no booktitle; add it', ""),
    ("@book{nopub, " + A + "title = {K}}", '!"nopub" has no publisher; add it', ""),
    ("@thesis{noschool, " + A + "title = {K}}", '!"noschool" has no school; add it', ""),
    ("@misc{nothing, note = {x}}", '!"nothing" has no title, year, author; add it', ""),
    ("@misc{cmd, " + A + "title = {A \\nosuch{b}}}", '!"cmd" cannot be set: title: \\nosuch is no command that is known here', ""),
    ("@misc{addr, " + A + "title = {K}, url = {javascript:alert(1)}}", '!"addr" has the url "javascript:alert(1)", which is no web address', ""),
    ('@misc{quote, ' + A + 'title = {K}, doi = {10.1000/x"onclick=alert(1)}}', '!"quote" has the doi', ""),
    ("@articel{kind, " + A + "title = {K}, journal = {J}}", '!"kind" is an @articel, which is no kind of work; did you mean "article"?', ""),
    ("@misc{open, " + A + "title = {K}", '!"open" cannot be read', ""),
]  # fmt: skip


def load(root, text):
    write(root / "content" / "references.bib", text)
    return works.load(Project(root))


def test_the_table_is_long():
    assert len(TABLE) >= 40


@pytest.mark.parametrize(("entry", "reference", "link"), TABLE, ids=lambda text: text[:30])
def test_a_work_is_set_or_told(tmp_path, entry, reference, link):
    works, broken, problems = load(tmp_path, f"{entry}\n")
    key = re.search(r"@(?!string)\w+\{([^,]+),", entry)[1]
    if reference.startswith("!"):
        (problem,) = problems
        assert str(problem).startswith(f"content/references.bib:1: {reference[1:]}")
        assert broken == [key]
        assert works == {}
        return
    assert problems == []
    work = works[key]
    assert reference in work.html.replace("\n", " ")
    assert work.link == link
    assert not re.search(r"[\\{}]", work.html + work.title + work.short)
    plain = re.sub(r"<.*?>", "", work.html).replace("&amp;", "&").replace("&lt;", "<")
    assert work.title.rstrip("?") in plain  # the tooltip says what the list says


def test_a_broken_entry_costs_itself_alone(tmp_path):
    good = "@misc{good, author = {A B}, title = {T}, year = 2000}\n"
    twice = "@misc{twice, author = {A B}, author = {C D}, title = {T}, year = 2000}\n"
    last = "@misc{last, author = {A B}, title = {T\n"
    works, broken, problems = load(
        tmp_path, f"{good}{twice}{good}\n{good.replace('good', 'end')}{last}"
    )
    assert list(works) == ["good", "end"]
    assert broken[:1] == ["good"] or "twice" in broken
    assert [str(one) for one in problems] == [
        'content/references.bib:2: "twice" cannot be read: author stands twice; keep one',
        'content/references.bib:3: "good" stands in line 1 already; keep one of them',
        'content/references.bib:6: "last" cannot be read: Unexpectedly reached end of file; '
        "look for a brace or a quote that is not closed, or a comma that is missing",
    ]


def test_a_string_that_is_not_there_and_a_file_of_bytes_are_told(tmp_path):
    _, _, (problem,) = load(tmp_path, "@misc{a, author = {A B}, title = nobody, year = 2000}")
    assert (
        problem.what
        == '"a" cannot be read: no @string is called "nobody"; write {nobody} for a text'
    )
    (tmp_path / "content" / "references.bib").write_bytes(b"@misc{a, title = {\xff}}")
    _, _, (problem,) = works.load(Project(tmp_path))
    assert str(problem) == "content/references.bib: not UTF-8; save it as UTF-8"


def test_keys_that_differ_by_signs_alone_have_anchors_of_their_own(tmp_path):
    one = "@misc{a:b, author = {A B}, title = {T}, year = 2000}"
    works, _, problems = load(tmp_path, f"{one}\n{one.replace('a:b', 'a/b')}")
    assert problems == []
    assert [work.anchor for work in works.values()] == ["ref-a-b", "ref-a-b-2"]


def test_depth_and_length_end_in_a_message(tmp_path):
    for title in (
        "{" * 5000 + "}" * 5000,
        "\\emph{" * 3000 + "x" + "}" * 3000,
        "$" + "{" * 9 + "$",
    ):
        _, _, problems = load(
            tmp_path, f"@misc{{a, author = {{A B}}, title = {{{title}}}, year = 1}}"
        )
        assert all("\n" not in str(one) for one in problems)
