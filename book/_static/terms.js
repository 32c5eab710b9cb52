// Previews of glossary terms: a link to a term shows its definition at hover, at focus, and at the first tap.
document.addEventListener("DOMContentLoaded", () => {
  let shown = null, closing = null;

  const place = (link, preview) => {
    const box = link.getClientRects()[0], width = document.documentElement.clientWidth;
    const left = Math.max(8, Math.min(box.left, width - preview.offsetWidth - 8));
    const below = box.bottom + 6;
    const fits = below + preview.offsetHeight < window.innerHeight || box.top < preview.offsetHeight + 6;
    preview.style.left = `${left}px`;
    preview.style.top = `${fits ? below : box.top - preview.offsetHeight - 6}px`;
  };
  const hide = () => {
    clearTimeout(closing);
    if (shown) shown.hidden = true;
    shown = null;
  };
  const hideSoon = () => { clearTimeout(closing); closing = setTimeout(hide, 250); };  // time to move onto the preview
  const show = (link, preview) => {
    if (shown !== preview) hide();
    clearTimeout(closing);
    preview.hidden = false;
    shown = preview;
    place(link, preview);
  };

  for (const link of document.querySelectorAll('a[href*="glossary.html#term-"]')) {
    const preview = document.getElementById(`preview-${decodeURIComponent(link.hash.slice(1))}`);
    if (!preview) continue;
    let touched = false;
    link.classList.add("glossary-term");
    link.setAttribute("aria-describedby", preview.id);
    link.addEventListener("pointerenter", event => { if (event.pointerType !== "touch") show(link, preview); });
    link.addEventListener("pointerleave", event => { if (event.pointerType !== "touch") hideSoon(); });
    link.addEventListener("pointerdown", event => { touched = event.pointerType === "touch" && preview.hidden; });
    link.addEventListener("focus", () => show(link, preview));
    link.addEventListener("blur", hideSoon);
    link.addEventListener("click", event => {  // the first tap shows the preview, the second one follows the link
      if (!touched) return;
      event.preventDefault();
      touched = false;
      show(link, preview);
    });
  }
  for (const preview of document.querySelectorAll(".glossary-preview")) {
    document.body.append(preview);  // out of the article, whose overflow would cut it
    preview.addEventListener("pointerenter", () => clearTimeout(closing));
    preview.addEventListener("pointerleave", hideSoon);
  }
  document.addEventListener("keydown", event => { if (event.key === "Escape") hide(); });
  document.addEventListener("pointerdown", event => {
    if (shown && !event.target.closest(".glossary-preview, .glossary-term")) hide();
  });
  window.addEventListener("scroll", hide, { passive: true });
});
