// All words that a page shows or says, but for those of the user and of the server.
() => {
  const found = [];
  const seen = (node) => node.checkVisibility({ visibilityProperty: true });
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = walker.nextNode(); text; text = walker.nextNode()) {
    const node = text.parentElement;
    if (seen(node) && !node.closest("[data-own], output, kbd")) found.push(text.data.trim());
  }
  for (const node of document.querySelectorAll("[aria-label], [title], [placeholder], [alt]")) {
    if (!seen(node) || node.closest("[data-own]")) continue;
    for (const name of ["aria-label", "title", "placeholder", "alt"]) found.push((node.getAttribute(name) ?? "").trim());
  }
  return found.filter(Boolean);
}
