"use strict";

// Copy buttons are made here: without scripts there is no button that does nothing.
for (const figure of document.querySelectorAll("figure.code")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    button.textContent = (await copy(figure.querySelector("code"))) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  });
  figure.querySelector("figcaption").append(button);
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent.trimEnd());
    return true;
  } catch {
    // No clipboard outside a secure context: leave the text selected for the keyboard.
    getSelection().selectAllChildren(code);
    return false;
  }
}

const filter = document.getElementById("filter");
filter?.closest("label").removeAttribute("hidden");
filter?.addEventListener("input", () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const service of document.querySelectorAll(".service")) {
    const name = service.querySelector("h2").textContent.toLowerCase();
    let shown = 0;
    for (const item of service.querySelectorAll("li")) {
      const text = `${name} ${item.textContent.toLowerCase()}`;
      item.hidden = !words.every((word) => text.includes(word));
      shown += item.hidden ? 0 : 1;
    }
    service.hidden = shown === 0;
  }
});

// Show in the table of contents which section is being read.
const links = new Map([...document.querySelectorAll(".contents a")].map((link) => [link.hash.slice(1), link]));
if (links.size > 0) {
  const headings = [...document.querySelectorAll(".runbook h2[id]")];
  const mark = () => {
    const passed = headings.filter((heading) => heading.getBoundingClientRect().top < 140);
    const current = passed.at(-1)?.id;
    for (const [id, link] of links) link.classList.toggle("current", id === current);
  };
  addEventListener("scroll", mark, { passive: true });
  mark();
}
