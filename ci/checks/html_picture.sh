#!/usr/bin/env bash
# Renders the HTML report in a browser: the page of a wrong kernel shows its heat map in black; a page cut in half does not.
. "$(dirname "$0")/lib.sh"
command -v chromium >/dev/null || fail "chromium is missing; ci/setup tests installs it"

# In containers this may run as root, where the browser needs --no-sandbox; it opens only the report.
browser() { HOME=$scratch timeout 120 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$scratch/profile" "$@" 2>"$scratch/browser.log"; }

# shows PAGE: checks that a wrong scale tensor [5, 8] is drawn as 38 cells of 44 x 20 pixels, black except for grid lines, and
# that the tables below it cover half of the picture.
shows() {
  rm -f "$scratch/page.png"
  browser --window-size=1280,2000 --screenshot="$scratch/page.png" "file://$1" >/dev/null
  [ -s "$scratch/page.png" ] || fail "no picture of $1"$'\n'"$(cat "$scratch/browser.log")"
  python3 "$(dirname "$0")/png_colours.py" "$scratch/page.png" 1280 2000 1700 28000
}

"$assay" run --backend faulty --kernel transposed_scales --case '*/distinct.s3/w32' --report html:"$scratch/page.html" >/dev/null
[ $? -eq 1 ] || fail "the faulty kernel transposed_scales passes"
shows "$scratch/page.html" || fail "the picture of the page lacks the heat map"

head -c $(($(stat -c %s "$scratch/page.html") / 2)) "$scratch/page.html" >"$scratch/half.html"
shows "$scratch/half.html" && fail "the check accepts half of a page"
echo '<!DOCTYPE html><title>blank</title>' >"$scratch/blank.html"
shows "$scratch/blank.html" && fail "the check accepts a blank page"

# The report on a library that is wrong nearly everywhere: in the browser's DOM it has a card per cause and names every failure. At
# two window widths, no element is wider than the page.
"$assay" run --backend faulty --suite rms_norm/quick --case '*/bf16.m4.*' --report html:"$scratch/all.html" --report json:"$scratch/all.json" >/dev/null
browser --dump-dom "file://$scratch/all.html" >"$scratch/dom.html"
python3 - "$scratch" <<'END' || fail "the HTML report lacks failures of the JSON report"
import html, json, re, sys
folder = sys.argv[1]
verdicts = json.load(open(folder + "/all.json"))["verdicts"]
bad = [v for v in verdicts if v["outcome"] in ("fail", "broken", "untrusted")]
dom = open(folder + "/dom.html").read()
cards, lines = dom.count('<section class="card"'), dom.count("<li>")
assert len(bad) > 60 and 3 < cards < 40, (len(bad), cards)
shown, pairs = set(), 0
for text in map(html.unescape, re.findall(r"<code>([^<]*)</code>", dom)):
    first, *twins = text.split(" and w")
    shown.update([first] + [first.rsplit("/w", 1)[0] + "/w" + twin for twin in twins])
    pairs += len(twins)
assert all(v["case"] in shown for v in bad), [v["case"] for v in bad if v["case"] not in shown]
assert cards + lines + pairs == len(bad), (cards, lines, pairs, len(bad))
for card in range(1, cards + 1):
    assert f'id="c{card}"' in dom and dom.count(f'href="#c{card}"') >= 3, f"card {card} is not linked"
assert not re.search(r"https?://", dom)
END

# fits WIDTH PAGE: unfolds every list in a copy of the page and measures it: no element may reach past the right edge of the window,
# and none may hide a part of its text.
fits() {
  python3 - "$2" >"$scratch/probe.html" <<'END'
import sys
page = open(sys.argv[1]).read()
probe = """<script>addEventListener('load', () => {
  document.querySelectorAll('details').forEach(d => d.open = true);
  const page = document.documentElement, cut = page.scrollWidth > page.clientWidth ? ['page ' + page.scrollWidth] : [];
  for (const e of document.querySelectorAll('nav, nav *, main *')) {
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (style.display === 'none' || e.closest('svg')) continue;
    const hides = e.clientWidth > 0 && e.scrollWidth > e.clientWidth + 1 && style.overflowX !== 'visible';
    if (hides || (box.width > 0 && box.right > page.clientWidth + 1)) cut.push(e.tagName + ' ' + e.className + ' ' + e.textContent.slice(0, 60));
  }
  document.title = cut.length ? 'CUT OFF: ' + cut.length + ': ' + cut[0] : 'FITS';
});</script></body>"""
print(page.replace("</body>", probe))
END
  browser --window-size="$1",2000 --virtual-time-budget=30000 --dump-dom "file://$scratch/probe.html" | grep -o '<title>[^<]*</title>' | tee "$scratch/fits" | grep -q '<title>FITS</title>'
}
"$assay" run --backend cpu --suite rms_norm/quick --suite quant_group/quick --suite all_reduce/quick --case '*.s1/*' --warp 32 --report html:"$scratch/pass.html" >/dev/null ||
  fail "a correct kernel does not pass"
for width in 1400 700; do
  fits $width "$scratch/all.html" || fail "the report of failures is cut off at $width pixels: $(cat "$scratch/fits")"
  fits $width "$scratch/pass.html" || fail "the report without failures is cut off at $width pixels: $(cat "$scratch/fits")"
done
sed 's/<main[^>]*>/&<p style="width:2000px">wide<\/p>/' "$scratch/all.html" >"$scratch/wide.html"
fits 1400 "$scratch/wide.html" && fail "the check accepts a page of 2000 pixels in a window of 1400"
sed 's/<main[^>]*>/&<div class="wide"><p style="width:2000px">hidden<\/p><\/div>/' "$scratch/pass.html" >"$scratch/hidden.html"
fits 1400 "$scratch/hidden.html" && fail "the check accepts text beyond the right edge of its table"

# Failures only: the list of passes disappears.
only='s/<\/body>/<script>document.title = getComputedStyle(document.getElementById("passed")).display<\/script>&/'
sed -e 's/id="only-failures"/& checked="checked"/' -e "$only" "$scratch/all.html" >"$scratch/only.html"
browser --dump-dom "file://$scratch/only.html" | grep -q '<title>none</title>' || fail "'failures only' shows passes"
sed -e "$only" "$scratch/all.html" >"$scratch/both.html"
browser --dump-dom "file://$scratch/both.html" | grep -q '<title>block</title>' || fail "the page hides passes when it is opened"
echo passed
