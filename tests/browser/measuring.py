"""Scripts that measure a page: what runs over the edge, how well texts and alts can be read."""

OVERFLOW = """(least) => {
  const seen = document.documentElement.clientWidth;
  const wide = Math.max(seen, least ?? 0);
  // What does not fit is to be scrolled to from where reading begins.
  const isLeft = getComputedStyle(document.documentElement).direction === 'rtl';
  const [left, right] = isLeft ? [seen - wide, seen] : [0, wide];
  const out = [...document.querySelectorAll('body *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && (box.right > right + 1 || box.left < left - 1);
  });
  return [document.documentElement.scrollWidth - wide,
    out.slice(0, 3).map(e => e.outerHTML.slice(0, 120))];
}"""
"""By how many pixels the page is too wide, and what is outside of it; given a width in pixels, the
page may be as wide as that in a narrower window."""

_LOOK = """
  const hex = c => '#' + c.match(/\\d+(\\.\\d+)?/g).slice(0, 3)
    .map(n => Number(n).toString(16).padStart(2, '0')).join('');
  const look = (words, own) => {
    let ground = own, colour = 'rgba(0, 0, 0, 0)';
    while (ground && colour === 'rgba(0, 0, 0, 0)') {
      colour = getComputedStyle(ground).backgroundColor; ground = ground.parentElement;
    }
    const style = getComputedStyle(own);
    return [words.trim().slice(0, 40), hex(style.color),
      colour === 'rgba(0, 0, 0, 0)' ? '#ffffff' : hex(colour), parseFloat(style.fontSize)];
  };
"""

TEXTS = f"""() => {{{_LOOK}
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {{
    const node = walker.currentNode, own = node.parentElement;
    if (!node.data.trim() || own.closest('style,script')) continue;
    if (!own.getClientRects().length) continue;
    found.push(look(node.data, own));
  }}
  return found;
}}"""
"""Every visible text: its beginning, its colour, the ground it stands on, its size."""

ALTS = f"""() => {{{_LOOK}
  return [...document.querySelectorAll('img')].filter(e => e.alt && !e.naturalWidth)
    .map(e => look(e.alt, e));
}}"""
"""Likewise what stands in the place of every picture that was not loaded."""
