"""Why nobody sees an element that is there: a style, a size, or what stands over it."""

from __future__ import annotations

from playwright.sync_api import Locator

# Rocket.Chat's message box alone is higher.
_LEAST_PIXELS = 50
_RULE = """async (frame, [least, milliseconds]) => {
  const sheets = () => [...document.styleSheets].flatMap(sheet => {
    try { return [...sheet.cssRules]; } catch { return []; }
  });
  const told = (one, name) => {
    const sets = it => it.selectorText && one.matches(it.selectorText) && it.style[name];
    const rule = sheets().filter(sets).pop();
    const by = one.style[name] ? ', by its own style' : rule ? `, by the rule ${rule.selectorText}` : '';
    const what = `<${one.localName}${one.id && ` id=${one.id}`}> has ${name} ${getComputedStyle(one)[name]}`;
    return [what + by, by];
  };
  const wrong = one => {
    const style = getComputedStyle(one);
    if (style.display === 'none') return 'display';
    if (style.visibility !== 'visible') return 'visibility';
    return style.opacity === '0' ? 'opacity' : '';
  };
  const why = () => {
    let said = '';
    for (let one = frame; one; one = one.parentElement) {
      const name = wrong(one);
      if (!name) continue;
      const [what, by] = told(one, name);
      if (by) return what;
      said ||= what;
    }
    if (said || Math.min(frame.clientWidth, frame.clientHeight) >= least) return said;
    return told(frame, frame.clientWidth < least ? 'width' : 'height')[0];
  };
  for (const until = performance.now() + milliseconds; ; await new Promise(requestAnimationFrame)) {
    const said = why();
    if (!said || performance.now() > until) return said;
  }
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


def rule(element: Locator, milliseconds: float) -> str:
    """The style that hides it for so long, or leaves it too small, and where that stands; empty if none does.

    Playwright calls an element visible that is transparent, or whose border alone has a size.
    """
    return str(element.evaluate(_RULE, [_LEAST_PIXELS, milliseconds]))


def over(element: Locator, milliseconds: float) -> str:
    """What stands over its middle for so long; empty where a click meets the element itself."""
    return str(element.evaluate(_OVER_IT, milliseconds))
