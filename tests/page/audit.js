// What is wrong on a page: names, sizes of targets, contrast (WCAG AA), cut texts, width, and the action out of sight.
() => {
  const found = [];
  const seen = (node) => node.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const where = (node) => node.outerHTML.replace(/\s+/g, " ").slice(0, 120);
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((value) => value / 255);
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      const colour = rgba(style.backgroundColor);
      if (colour[3] > 0.9) return colour;
      if (colour[3] > 0) return null;
    }
    return rgba("white");
  };
  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((one) => one === id).length > 1) found.push(`id twice: ${id}`);
  for (const node of document.querySelectorAll("button, a[href], input, select, summary, mask-editor, iframe")) {
    if (!seen(node)) continue;
    const labels = [...(node.labels ?? [])].map((label) => label.textContent).join("");
    const name = node.getAttribute("aria-label") || labels || node.textContent.trim() || node.title;
    if (!name) found.push(`no name: ${where(node)}`);
    const { left, right } = node.getBoundingClientRect();
    if ((left < -1 || right > innerWidth + 1) && !node.closest(".zone .choice, .strip")) found.push(`out of the window: ${where(node)}`);
    if (node.matches(".skip:not(:focus)")) continue; // It shows itself, and grows, once it has the focus.
    const box = node.getBoundingClientRect();
    const target = node.closest("label, compare-view") ?? node;
    const room = target.getBoundingClientRect();
    if (Math.min(room.width, room.height) < 23.5 && box.width) found.push(`small: ${where(node)}`);
  }
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    const named = dialog.getAttribute("aria-labelledby");
    const name = named ? document.getElementById(named)?.textContent : dialog.getAttribute("aria-label");
    if (!name?.trim()) found.push(`no name: ${where(dialog)}`);
  }
  for (const image of document.querySelectorAll("img")) if (!image.hasAttribute("alt")) found.push(`no alt: ${where(image)}`);
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (!text.data.trim() || !seen(node) || node.closest(":disabled, option, .unseen, [aria-hidden]")) continue;
    const style = getComputedStyle(node);
    const back = ground(node);
    if (!back) continue;
    const [a, b] = [light(rgba(style.color)), light(back)].sort((p, q) => q - p);
    const large = parseFloat(style.fontSize) >= 24;
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ${text.data.trim().slice(0, 40)} in ${where(node)}`);
  }
  for (const node of document.querySelectorAll("button, summary, h1, h2, h3, p, small, kbd")) {
    if (!seen(node) || !node.clientWidth || !node.textContent.trim() || node.closest("[data-own], .unseen, .skip")) continue;
    if (node.scrollWidth > node.clientWidth + 1) found.push(`cut: ${where(node)}`);
  }
  const wide = Math.max(document.scrollingElement.scrollWidth, document.body.scrollWidth);
  if (wide > innerWidth) found.push(`wider than the window: ${wide}`);
  const go = [...document.querySelectorAll(".screen:not([hidden]) > .action .go")].filter(seen)[0];
  if (go) {
    const box = go.getBoundingClientRect();
    if (box.bottom > innerHeight || box.top < 0 || box.right > innerWidth) found.push("what to do next is out of sight");
  }
  return found;
}
