/** Forms made of the JSON schemas that the studio gives of its options. */

import { h, say } from "./dom.js";
import { known, number, percent, text } from "./text.js";

/** @typedef {Record<string, any>} Schema */
/** @typedef {{node: HTMLElement, read: () => any, write: (value: any) => void}} Field */

/** The schema of a value that may also be null, and whether it may. */
function bare(/** @type {Schema} */ schema, /** @type {Schema} */ all) {
  const found = (/** @type {Schema} */ one) => (one.$ref ? { ...all.$defs[one.$ref.split("/").pop()], ...one } : one);
  const whole = found(schema);
  const kinds = (whole.anyOf ?? []).map(found);
  const real = kinds.filter((/** @type {Schema} */ kind) => kind.type !== "null");
  const choices = real.every((/** @type {Schema} */ kind) => kind.enum) ? { enum: real.flatMap((/** @type {Schema} */ kind) => kind.enum) } : real[0];
  return { inner: real.length ? { ...whole, ...choices, description: whole.description } : whole, optional: real.length < kinds.length };
}

/** The largest whole or other number that a schema allows, as far as it says one. */
const most = (/** @type {Schema} */ { maximum, exclusiveMaximum, type }) => maximum ?? (type === "integer" && exclusiveMaximum !== undefined ? exclusiveMaximum - 1 : undefined);

/** Why a control's value cannot be; empty if it can. */
function fault(/** @type {HTMLInputElement} */ control) {
  control.setCustomValidity(""); // What was said before is no fault of the value.
  if (control.validity.valid) return "";
  if (control.type !== "number") return text(control.value.trim() ? "form.numbers" : "form.number");
  const { min, max, step } = control;
  if (!min) return text("form.number");
  const values = { low: number(Number(min), 2), high: number(Number(max), 2) };
  if (step === "1") return text(max ? "form.whole_between" : "form.whole_from", values);
  return text(max ? "form.between" : "form.from", values);
}

/** Whether a control's value can be; the first that cannot is shown, and why, in the language of the page. */
export function valid(/** @type {HTMLInputElement[]} */ ...controls) {
  const wrong = controls.find((control) => fault(control));
  if (!wrong) return true;
  const fold = wrong.closest("details");
  if (fold) fold.open = true;
  wrong.setCustomValidity(fault(wrong));
  wrong.addEventListener("input", () => wrong.setCustomValidity(""), { once: true });
  wrong.reportValidity();
  return false;
}

let count = 0;

/** A label with its control, and what it does beneath. */
function row(/** @type {string} */ name, /** @type {Schema} */ schema, /** @type {HTMLElement} */ control, /** @type {Node[]} */ more = []) {
  control.id = `field-${name}-${++count}`;
  const label = h("label", { for: control.id });
  if (known(`field.${name}`)) say(label, `field.${name}`);
  else label.append(h("span", { "data-own": "" }, schema.title ?? name));
  const help = h("small", { id: `${control.id}-help` });
  if (known(`help.${name}`)) say(help, `help.${name}`);
  else help.append(h("span", { "data-own": "" }, schema.description ?? ""));
  control.setAttribute("aria-describedby", help.id);
  return h("div", { class: `field ${control.getAttribute("type") ?? control.localName}` }, label, control, ...more, help);
}

/** @returns {Field} */
function choice(/** @type {string} */ name, /** @type {Schema} */ schema) {
  const values = schema.enum ?? [schema.const];
  const control = h("select");
  for (const value of values) {
    const option = h("option", { value });
    if (known(`choice.${name}.${value}`)) say(option, `choice.${name}.${value}`);
    else option.append(String(value)), option.setAttribute("data-own", "");
    control.append(option);
  }
  return { node: row(name, schema, control), read: () => control.value, write: (value) => (control.value = value) };
}

/** @returns {Field} */
function slider(/** @type {string} */ name, /** @type {Schema} */ schema) {
  const whole = schema.type === "integer";
  const share = schema.minimum === 0 && schema.maximum === 1;
  const control = h("input", { type: "range", min: schema.minimum, max: schema.maximum, step: whole ? 1 : 0.01 });
  const told = h("output");
  const tell = () => (told.textContent = share ? percent(control.valueAsNumber) : number(control.valueAsNumber, whole ? 0 : 2));
  control.addEventListener("input", tell);
  return {
    node: row(name, schema, control, [told]),
    read: () => control.valueAsNumber,
    write: (value) => {
      control.value = String(value);
      tell();
    },
  };
}

/** @returns {Field} */
function amount(/** @type {string} */ name, /** @type {Schema} */ schema, /** @type {boolean} */ optional) {
  const step = schema.type === "integer" ? 1 : "any";
  const control = h("input", { type: "number", min: schema.minimum, max: most(schema), step, inputmode: "decimal" });
  if (optional) say(control, "form.automatic", undefined, "placeholder");
  control.required = !optional;
  return {
    node: row(name, schema, control),
    read: () => (control.value === "" ? null : control.valueAsNumber),
    write: (value) => (control.value = value === null ? "" : String(value)),
  };
}

/** Several numbers in a row. @returns {Field} */
function numbers(/** @type {string} */ name, /** @type {Schema} */ schema) {
  const { type, minimum } = schema.items;
  const one = type === "number" ? String.raw`\d*\.?\d+` : minimum ? String.raw`[1-9]\d*` : String.raw`\d+`;
  const control = h("input", { type: "text", inputmode: "decimal", pattern: String.raw`\s*${one}(\s+${one})*\s*`, required: (schema.minItems ?? 0) > 0 });
  if (!control.required) say(control, "form.automatic", undefined, "placeholder");
  return {
    node: row(name, schema, control),
    read: () => control.value.trim().split(/\s+/).filter(Boolean).map(Number),
    write: (value) => (control.value = (value ?? []).join(" ")),
  };
}

/** @returns {Field} */
function toggle(/** @type {string} */ name, /** @type {Schema} */ schema) {
  const control = h("input", { type: "checkbox", class: "switch" });
  return { node: row(name, schema, control), read: () => control.checked, write: (value) => (control.checked = Boolean(value)) };
}

/** @returns {Field | null} */
function field(/** @type {string} */ name, /** @type {Schema} */ schema, /** @type {Schema} */ all) {
  const { inner, optional } = bare(schema, all);
  if (inner.enum) return choice(name, inner);
  if (inner.type === "boolean") return toggle(name, inner);
  if (inner.type === "array" && /^(number|integer)$/.test(inner.items?.type)) return numbers(name, inner);
  if (inner.type !== "number" && inner.type !== "integer") return null;
  const short = inner.minimum !== undefined && inner.maximum !== undefined && inner.maximum - inner.minimum <= 100;
  return short && !optional ? slider(name, inner) : amount(name, inner, optional);
}

/**
 * A form for the fields of a schema that have a control: numbers, switches and choices.
 * @param {Schema} schema
 * @param {{only?: string[], without?: string[], plain?: string[]}} [which]  fields that are not `plain` are folded away
 */
export function form(schema, { only, without = [], plain } = {}) {
  /** @type {Map<string, Field>} */
  const fields = new Map();
  const node = h("form", { class: "options", onsubmit: (/** @type {Event} */ event) => event.preventDefault() });
  const folded = h("details", {}, h("summary", { t: "form.more" }));
  const names = only ?? Object.keys(schema.properties ?? {}).filter((name) => !without.includes(name));
  for (const name of names) {
    const made = field(name, schema.properties[name], schema);
    if (!made) continue;
    fields.set(name, made);
    (plain && !plain.includes(name) ? folded : node).append(made.node);
  }
  if (folded.children.length > 1) node.append(folded);
  const write = (/** @type {Record<string, any>} */ values) => {
    for (const [name, made] of fields) if (name in values) made.write(values[name]);
  };
  const first = Object.fromEntries([...fields.keys()].map((name) => [name, schema.properties[name].default ?? null]));
  write(first);
  const controls = () => [...node.querySelectorAll("input")];
  return {
    node,
    fields,
    write,
    first,
    /** The values, without those that stand as they were at first. */
    read: () => Object.fromEntries([...fields].map(([name, made]) => [name, made.read()]).filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(first[name]))),
    /** Whether all values can be; shows the first that cannot. */
    valid: () => valid(...controls()),
    /** The same while something may still be typed: nothing is shown, and the focus stays. */
    possible: () => !controls().some((control) => fault(control)),
    heard: (/** @type {() => void} */ act) => node.addEventListener("input", act),
  };
}
