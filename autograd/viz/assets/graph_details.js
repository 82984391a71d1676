// What is chosen: its way through the graph is lit, and the panel tells what is known of it.
function reach(start, ways) {
  const seen = new Set([start]), stack = [start], passed = new Set();
  while (stack.length) {
    for (const [next, edge] of ways[stack.pop()]) {
      passed.add(edge);
      if (!seen.has(next)) {
        seen.add(next);
        stack.push(next);
      }
    }
  }
  return [seen, passed];
}

function light(thing) {
  let lit = null;
  if (thing && thing.node !== undefined) {
    const [above, in_] = reach(thing.node, operands), [below, out] = reach(thing.node, users);
    lit = [new Set([...above, ...below]), new Set([...in_, ...out])];
  } else if (thing) {
    const [tail, head] = level.edges[thing.edge];
    lit = [new Set([tail, head]), new Set([thing.edge])];
  }
  svg.classList.toggle("lighted", !!lit);
  nodes.forEach((node, i) => node.classList.toggle("lit", !!lit && lit[0].has(i)));
  edges.forEach((edge) => edge.classList.toggle("lit", !!lit && lit[1].has(+edge.dataset.edge)));
  labels.forEach((label) =>
    label.classList.toggle("lit", !!lit && lit[1].has(+label.dataset.ofEdge)));
}

function choose(index, {focus = true, move = true} = {}) {
  release();
  chosen = {node: index};
  nodes[index].classList.add("chosen");
  light(chosen);
  describe(level.nodes[index].lines, level.nodes[index].bars);
  links("Made of", operands[index]);
  links("Used by", users[index]);
  if (focus) nodes[index].focus({preventScroll: true});
  if (move) centre(index, true);
}

function chooseEdge(index) {
  release();
  chosen = {edge: index};
  light(chosen);
  const [tail, head, lines] = level.edges[index];
  describe(lines, []);
  links("From", [[tail]]);
  links("To", [[head]]);
}

function release() {
  nodes.forEach((node) => node.classList.remove("chosen"));
  chosen = null;
  light(null);
  details.replaceChildren();
}

function make(tag, text, name) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (name) element.className = name;
  return element;
}

function describe(lines, bars) {
  const [heading, ...rest] = data.details[lines];
  const list = make("dl");
  for (const [label, text] of rest) {
    const row = make("div", undefined, label.split(" ")[0].replace(/[^a-z]/g, ""));
    row.append(make("dt", label), make("dd", text));
    list.append(row);
  }
  details.replaceChildren(make("h2", heading[1]), list, ...bars.map(chart));
}

function chart([label, counts, least, mean, most]) {
  const figure = make("figure"), top = make("figcaption"), ends = make("figcaption");
  top.append(make("span", label), make("span", `mean ${mean}`));
  ends.append(make("span", least), make("span", most));
  const picture = document.createElementNS(SVG, "svg"), highest = Math.max(...counts);
  picture.setAttribute("viewBox", `0 0 ${counts.length * 10} 40`);
  picture.setAttribute("preserveAspectRatio", "none");
  picture.setAttribute("aria-hidden", "true");
  counts.forEach((count, i) => {
    if (!count) return;
    const bar = document.createElementNS(SVG, "rect"), h = Math.max(40 * count / highest, 1);
    const attributes = {class: label, x: i * 10 + 0.5, y: 40 - h, width: 9, height: h};
    for (const name in attributes) bar.setAttribute(name, attributes[name]);
    picture.append(bar);
  });
  figure.append(top, picture, ends);
  return figure;
}

function links(label, ends) {
  if (!ends.length) return;
  const row = make("div", undefined, "links");
  for (const index of new Set(ends.map(([end]) => end))) {
    const button = make("button", level.nodes[index].label);
    button.type = "button";
    button.addEventListener("click", () => choose(index));
    row.append(button);
  }
  const list = make("dl"), line = make("div"), side = make("dd");
  side.append(row);
  line.append(make("dt", label), side);
  list.append(line);
  details.append(list);
}

// --- Search --------------------------------------------------------------------------------

function search(jump) {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  found = [];
  level.nodes.forEach((node, i) => {
    const hit = words.length > 0 && words.every((word) => node.find.includes(word));
    nodes[i].classList.toggle("hit", hit);
    if (hit) found.push(i);
  });
  at = -1;
  hits.value = words.length ? (found.length ? `${found.length} found` : "none") : "";
  if (jump && found.length) step(1);
}

function step(by) {
  if (!found.length) return;
  at = (at + by + found.length) % found.length;
  hits.value = `${at + 1} of ${found.length}`;
  choose(found[at], {focus: false, move: false});
  centre(found[at], false);
}

query.addEventListener("input", () => search(true));
byId("search").addEventListener("submit", (event) => event.preventDefault());
query.addEventListener("keydown", (event) => {
  if (event.key === "Enter") {
    event.preventDefault();
    step(event.shiftKey ? -1 : 1);
  } else if (event.key === "Escape") {
    query.value = "";
    search(false);
    query.blur();
    release();
  }
  event.stopPropagation();
});
