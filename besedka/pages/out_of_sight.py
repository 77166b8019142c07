"""Why nobody sees an element that is there: a style, a size, or what stands over it."""

from __future__ import annotations

from playwright.sync_api import Locator

_RULE = """frame => {
  const wrong = one => {
    const style = getComputedStyle(one), box = one.getBoundingClientRect();
    if (style.display === 'none') return 'display';
    if (style.visibility !== 'visible') return 'visibility';
    if (style.opacity === '0') return 'opacity';
    return one !== frame || box.width && box.height ? '' : box.width ? 'height' : 'width';
  };
  const sheets = [...document.styleSheets].flatMap(sheet => {
    try { return [...sheet.cssRules]; } catch { return []; }
  });
  let said = '';
  for (let one = frame; one; one = one.parentElement) {
    const name = wrong(one);
    if (!name) continue;
    const rule = sheets.filter(it => it.selectorText && one.matches(it.selectorText) && it.style[name]).pop();
    const by = one.style[name] ? 'its own style' : rule && `the rule ${rule.selectorText}`;
    const what = `<${one.localName}${one.id && ` id=${one.id}`}> has ${name} ${getComputedStyle(one)[name]}`;
    if (by) return `${what}, by ${by}`;
    said ||= what;
  }
  return said;
}"""
_OVER_IT = """async (frame, milliseconds) => {
  frame.scrollIntoView({block: 'nearest'});
  for (const until = performance.now() + milliseconds; ; await new Promise(requestAnimationFrame)) {
    const box = frame.getBoundingClientRect();
    const over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    if (!over || over === frame || over.contains(frame)) return '';
    const told = it => over.getAttribute(it) ? ` ${it}=${over.getAttribute(it)}` : '';
    if (performance.now() > until) return `<${over.localName}${told('id')}${told('class')}>`;
  }
}"""


def rule(element: Locator) -> str:
    """The style that hides it, or leaves it without a size, and where that stands; empty if none does."""
    return str(element.evaluate(_RULE))


def over(element: Locator, milliseconds: float) -> str:
    """What stands over its middle for so long; empty where a click meets the element itself."""
    return str(element.evaluate(_OVER_IT, milliseconds))
