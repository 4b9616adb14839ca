"""Records as a page gets them, among them texts that would like to run."""

HOSTILE = [
    "<script>document.title = 'ran'</script>",
    "</p></main><img src=x onerror=\"document.title='ran'\">",
    "\"'><svg onload=document.title='ran'>",
    "<style>body{display:none}</style><!-- <iframe src='javascript:alert(1)'>",
    "{{ 7 * 7 }} {% raw %} ${7*7} &lt;b&gt; &amp;amp; ]]>",
    "turned \u202egnp.exe\u202c \u2066round\u2069 \u200f",
    "nul \x00 bell \x07 escape \x1b[31m half \ud800 other \udfff none \uffff \x85",
]


def record(**changes):
    return {
        "source": "a.txt",
        "paragraph": 0,
        "start": 0,
        "end": 9,
        "text": "Ten died.",
        "label": "casualty_figure",
        "score": 0.93,
        "labels": ["casualty_figure"],
        "review": False,
        "p_analysis": 0.02,
        "p_attack_report": 0.04,
        "p_casualty_figure": 0.93,
        "p_none": 0.01,
        "p_threat_statement": 0.0,
        "error": None,
        **changes,
    }
