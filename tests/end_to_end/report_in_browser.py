"""Whether the page of `tenon report` is right in a real browser.

usage: report_in_browser.py TENON [FOLDER]
Trains small models, writes their reports, and loads them in headless Chromium: light and dark, wide
and as narrow as a phone. FOLDER keeps the pages, what was measured and screenshots."""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib

BROWSER = os.environ.get("TENON_BROWSER") or next(
    (path for path in map(shutil.which, ("chromium", "chromium-browser", "google-chrome")) if path),
    None)
HOSTILE = "<script>document.title='owned'<"
CLASSES = ["plain", HOSTILE, "\"quoted' & <b>bold"]

# Runs in the page: what is drawn where, and in which colours.
MEASURE = """
<script>
window.addEventListener('load', () => {
  const sections = {};
  for (const section of document.querySelectorAll('section, #tiles')) {
    const drawn = [...section.querySelectorAll(
        'polyline, rect, circle, line')].map(e => { const box = e.getBBox();
          return box.width + box.height > 0; });
    const images = [...section.querySelectorAll('img')].map(
        e => e.complete && e.naturalWidth > 0 && e.getBoundingClientRect().height > 0);
    const box = section.getBoundingClientRect();
    sections[section.id] = {text: section.innerText, drawn: drawn.length,
        empty: drawn.filter(e => !e).length, images: images.length,
        broken: images.filter(e => !e).length, left: box.left, right: box.right,
        height: box.height};
  }
  const colour = name => getComputedStyle(document.body)[name];
  parent.postMessage(JSON.stringify({frame: window.name, title: document.title,
      scripts: document.querySelectorAll('script').length, bold: document.querySelectorAll(
          '#confusion b, #mistakes b b').length,
      width: document.documentElement.clientWidth, across: document.documentElement.scrollWidth,
      background: colour('backgroundColor'), color: colour('color'), sections: sections}), '*');
});
</script>
"""


def png(width, height, pixel):
    rows = b"".join(b"\x00" + bytes(pixel(x, y) for x in range(width))
                    for y in range(height))

    def chunk(kind, data):
        return (struct.pack(">I", len(data)) + kind + data +
                struct.pack(">I", zlib.crc32(kind + data)))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) +
            chunk(b"IEND", b""))


def run(*arguments):
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.returncode == 0, f"{arguments}: {done.stderr}"
    return done.stdout


def browse(page, *options, dark=False):
    with tempfile.TemporaryDirectory() as profile:
        done = subprocess.run(
            [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
             "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
             f"--user-data-dir={profile}", "--enable-logging=stderr", "--v=0",
             "--virtual-time-budget=4000",
             f"--blink-settings=preferredColorScheme={0 if dark else 1}", *options,
             "file://" + page], capture_output=True, text=True, timeout=240)
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout, console


def measure(page, folder, widths, dark):
    """What the page's elements are at each width. The policy of the page refuses scripts, so the
    copy that is measured has none."""
    with open(page) as file:
        html = file.read()
    html = re.sub(r"<meta http-equiv[^>]*>", "", html).replace("</body>", MEASURE + "</body>")
    frames = "".join(f'<iframe name="{width}" width="{width}" height="800" '
                     f'style="border:0" srcdoc="{html.replace("&", "&amp;").replace(chr(34), "&quot;")}">'
                     "</iframe>" for width in widths)
    outer = os.path.join(folder, "measured.html")
    with open(outer, "w") as file:
        file.write("<!DOCTYPE html><meta charset=utf-8><style>:root{color-scheme:light dark}</style>"
                   "<script>addEventListener('message', e => { const p = "
                   "document.createElement('pre'); p.className = 'found'; p.textContent = e.data; "
                   "document.body.append(p); });</script><body>" + frames)
    dom, console = browse(outer, "--dump-dom", "--window-size=1300,900", dark=dark)
    assert not console, console
    unescape = lambda text: (text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ")
                             .replace("&amp;", "&"))
    found = [json.loads(unescape(text))
             for text in re.findall(r'<pre class="found">(.*?)</pre>', dom, re.S)]
    assert sorted(f["frame"] for f in found) == sorted(map(str, widths)), dom[-500:]
    return found


def brightness(colour):
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3]))


def check_page(page, folder, needed, title):
    with open(page) as file:
        html = file.read()
    links = re.findall(r'(?:src|href|action)\s*=\s*["\']?([^"\'\s>]+)|url\(([^)]*)\)', html)
    assert all(link.startswith("data:image/png;base64,") for pair in links for link in pair if link)
    assert re.findall(r"https?://[^\"<\s]+", html.replace("http://www.w3.org/2000/svg", "")) == []
    _, console = browse(page, "--dump-dom")
    assert not console, console
    for dark in (False, True):
        for found in measure(page, folder, (400, 1000), dark):
            where = f"{page} at {found['frame']} px, {'dark' if dark else 'light'}"
            assert found["title"] == title, where
            assert found["scripts"] == 1, f"{where}: {found['scripts']} scripts"  # the measuring one
            assert found["width"] == int(found["frame"]), where
            assert found["across"] <= found["width"], f"{where}: {found['across']} px across"
            dark_page = brightness(found["background"]) < brightness(found["color"])
            assert dark_page == dark, f"{where}: {found['color']} on {found['background']}"
            for name, wanted in needed.items():
                section = found["sections"].get(name)
                assert section is not None, f"{where}: no section {name}"
                assert section["height"] > 30 and section["left"] >= 0, (where, name, section)
                assert section["right"] <= found["width"] + 0.5, (where, name, section)
                assert section["empty"] == 0 and section["broken"] == 0, (where, name, section)
                for text in wanted.get("texts", []):
                    assert text in section["text"], f"{where}: {name}: {text!r} not in " + \
                        section["text"][:1500]
                for key in ("drawn", "images"):
                    least = wanted.get(key, 0)
                    assert section[key] >= least, f"{where}: {name}: {section[key]} {key}"


def image_report(tenon, folder):
    for k, name in enumerate(CLASSES):
        os.makedirs(os.path.join(folder, "images", name))
        for i in range(12):
            with open(os.path.join(folder, "images", name, f"{i}.png"), "wb") as file:
                # The first two classes look alike, so that there are mistakes.
                file.write(png(8, 8, lambda x, y: (x * 20 + i * 5 if k < 2 else y * 30) % 256))
    data = "images:" + os.path.join(folder, "images")
    output = os.path.join(folder, "a <run> & more")
    run(tenon, "train", "--model", "mlp", "--hidden", "6", "--data", data, "--image-channels", "1",
        "--epochs", "3", "--batch-size", "12", "--device", "reference", "--validation", "0.25",
        "--out", output)
    page = os.path.join(folder, "images.html")
    told = json.loads(run(tenon, "report", output, "--data", data, "--device", "reference", "--out",
                          page, "--json"))
    assert told["mistakes"] > 0
    accuracy = f"{told['evaluation']['accuracy']:.4g}"
    check_page(page, folder, {
        "tiles": {"texts": [accuracy, "accuracy", "samples evaluated", "36"]},
        "curves": {"texts": ["train", "validation"], "drawn": 20},
        "confusion": {"texts": CLASSES},
        "classes": {"texts": CLASSES + ["precision", "recall", "12", "%"]},
        "mistakes": {"texts": ["taken for", "%"], "images": told["mistakes"]},
        "weights": {"texts": ["dense/kernel", "dense_1/bias", "f32[64,6]", "gradient: mean"],
                    "drawn": 20},
        "layers": {"texts": ["dense_1", "(None, 3)", "390"]},
        "cost": {"texts": ["time of a step", "activations and workspace"]},
        "training": {"texts": ["adam", "trained on", "images (27 samples)"]},
    }, "a <run> & more")
    return page


def number_report(tenon, folder):
    table = os.path.join(folder, "numbers.csv")
    with open(table, "w") as file:
        file.write("a,b,target\n" + "".join(
            f"{i % 7},{i * 3 % 5},{(i % 7) * 2 - (i * 3 % 5)}\n" for i in range(60)))
    output = os.path.join(folder, "numbers")
    run(tenon, "train", "--model", "mlp", "--hidden", "4", "--data", "csv:" + table, "--task",
        "regression", "--epochs", "2", "--batch-size", "20", "--device", "reference", "--validation",
        "none", "--out", output)
    page = os.path.join(output, "report.html")
    run(tenon, "report", output, "--data", "csv:" + table, "--device", "reference")
    check_page(page, folder, {
        "curves": {"drawn": 10}, "errors": {"texts": ["mean absolute error", "60"], "drawn": 60},
        "mistakes": {"texts": ["off by", "row "]}, "weights": {"drawn": 10}}, "numbers")
    run(tenon, "report", output, "--device", "reference")  # without data
    check_page(page, folder, {"curves": {"drawn": 10}, "weights": {"drawn": 4}, "layers": {},
                              "cost": {}}, "numbers")


def main(tenon, kept=None):
    assert BROWSER, "Chromium is not installed: apt-get install chromium"
    with tempfile.TemporaryDirectory() as temporary:
        folder = kept or temporary
        os.makedirs(folder, exist_ok=True)
        page = image_report(tenon, folder)
        number_report(tenon, folder)
        shot = os.path.join(folder, "report.png")
        browse(page, f"--screenshot={shot}", "--window-size=1000,2600")
        assert os.path.getsize(shot) > 10_000
        if kept:
            browse(page, f"--screenshot={folder}/dark.png", "--window-size=1000,2600", dark=True)
            browse(page, f"--screenshot={folder}/narrow.png", "--window-size=500,3200")
    print("reports are right in a browser: light, dark, 400 and 1000 px wide")


if __name__ == "__main__":
    main(*sys.argv[1:])
