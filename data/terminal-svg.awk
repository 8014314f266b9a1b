# SPDX-License-Identifier: Apache-2.0
#
# Draws what a terminal showed as an SVG: a window, one <text> a line, the colours that were printed. Knows the codes
# that zinit prints (bold, dim, red, green, yellow, cyan, reset) and no others. For data/recording.sh.
#
# usage: LC_ALL=C awk -v columns=N -f terminal-svg.awk FILE > FILE.svg

function escape (text)
{
  gsub (/&/, "\\&amp;", text)
  gsub (/</, "\\&lt;", text)
  gsub (/>/, "\\&gt;", text)
  return text
}

# Characters, not bytes: the bytes that go on with a character do not count.
function width (text)
{
  return length (text) - gsub (/[\200-\277]/, "", text)
}

# The words stand where the terminal had them, whatever the font: each group of words has its own place, so a table
# stays a table where the letters are narrower.
function add_words (text, style,    gap)
{
  while (text != "") {
    match (text, /^ */)
    column += RLENGTH
    text = substr (text, RLENGTH + 1)
    gap = match (text, /  +/) ? RSTART : match (text, / *$/) ? RSTART : length (text) + 1
    if (gap > 1)
      line = line sprintf ("<tspan x=\"%.1f\"%s>%s</tspan>", LEFT + column * CELL,
                           style != "" ? " class=\"" style "\"" : "", escape (substr (text, 1, gap - 1)))
    column += width (substr (text, 1, gap - 1))
    text = substr (text, gap)
  }
}

function style_of (codes)
{
  if (codes ~ /^31/) return "r"
  if (codes ~ /^32/) return "g"
  if (codes ~ /^33/) return "y"
  if (codes ~ /^36/) return "p"
  if (codes == "1") return "b"
  if (codes == "2") return "d"
  return ""
}

BEGIN {
  CELL = 8.43   # of a letter of 14 pixels, in most fonts
  LEFT = 20
  PITCH = 20
  y = 66
}

{
  sub (/\r$/, "")
  is_prompt = $0 ~ /^\033\[36;1m/
  if (is_prompt && NR > 1)
    y += PITCH / 2
  n = split ($0, parts, "\033\\[")
  column = 0
  line = ""
  add_words (parts[1], "")
  for (i = 2; i <= n; i++) {
    end = index (parts[i], "m")
    add_words (substr (parts[i], end + 1), style_of (substr (parts[i], 1, end - 1)))
  }
  if (line != "")
    body = body "  <text y=\"" y "\">" line "</text>\n"
  y += PITCH
}

END {
  w = int (2 * LEFT + columns * CELL)
  h = y + 4
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\">\n", w, h, w, h
  print "  <!-- Made by data/recording.sh from what a terminal showed. -->"
  print "  <title>zinit in a terminal: services, why one does not run, and a daemon that is killed and comes back</title>"
  print "  <style>"
  print "    text { font: 14px 'DejaVu Sans Mono', Menlo, 'SFMono-Regular', Consolas, 'Liberation Mono', monospace; fill: #d6dbe3 }"
  print "    .b { font-weight: bold; fill: #ffffff } .d { fill: #8b95a5 } .p { font-weight: bold; fill: #62c4d0 }"
  print "    .r { font-weight: bold; fill: #ff7b80 } .g { fill: #7fd088 } .y { fill: #e8c266 }"
  print "  </style>"
  printf "  <rect x=\"0.5\" y=\"0.5\" width=\"%d\" height=\"%d\" rx=\"8\" fill=\"#1c2128\" stroke=\"#444c56\"/>\n", w - 1, h - 1
  printf "  <path d=\"M1 36 V8.5 A7.5 7.5 0 0 1 8.5 1 H%.1f A7.5 7.5 0 0 1 %d 8.5 V36 Z\" fill=\"#2d333b\"/>\n", w - 8.5, w - 1
  print "  <circle cx=\"22\" cy=\"18.5\" r=\"6\" fill=\"#f0655a\"/><circle cx=\"42\" cy=\"18.5\" r=\"6\" fill=\"#e8b63e\"/><circle cx=\"62\" cy=\"18.5\" r=\"6\" fill=\"#4fb857\"/>"
  printf "  <text x=\"%d\" y=\"24\" text-anchor=\"middle\" class=\"d\">zinit</text>\n", w / 2
  printf "%s</svg>\n", body
}
