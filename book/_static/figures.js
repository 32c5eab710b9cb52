// A figure opens in its full size at a click, a tap or the Enter key; the Escape key or a click beside it closes it.
document.addEventListener("DOMContentLoaded", () => {
  const figures = [...document.querySelectorAll(".bd-article figure img, .bd-article .cell_output img")];
  if (!figures.length || !window.HTMLDialogElement) return;
  const dialog = document.createElement("dialog");
  dialog.className = "enlarged";
  dialog.innerHTML = '<form method="dialog"><button class="enlarged-close">&times;</button></form>' +
    '<div class="enlarged-figure" tabindex="0" role="region"></div>';
  const spanish = document.documentElement.lang.startsWith("es");
  const words = spanish ? ["Cerrar", "Ampliar la figura", "Figura ampliada"]
    : ["Close", "Enlarge the figure", "Enlarged figure"];
  dialog.setAttribute("aria-label", words[2]);
  dialog.querySelector("button").setAttribute("aria-label", words[0]);
  dialog.querySelector("div").setAttribute("aria-label", words[2]);
  document.body.append(dialog);
  dialog.addEventListener("click", event => { if (event.target === dialog) dialog.close(); });

  for (const image of figures) {
    if (image.closest("a, button, svg")) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "enlarge";
    button.title = words[1];
    image.replaceWith(button);
    button.append(image);
    button.addEventListener("click", () => {
      const large = new Image();
      large.src = image.src;
      large.alt = image.alt;
      dialog.querySelector("div").replaceChildren(large);
      dialog.showModal();
      dialog.querySelector("div").scrollTo(0, 0);
    });
  }
});
