// HTML of other people becomes HTML that may stand in our page: nothing that runs, loads or styles.

import DOMPurify from "dompurify";
import { find } from "linkifyjs";

/** The specification's list (m.room.message msgtypes), without images: they would load by themselves. */
const TAGS = [
  "del", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "p", "a", "ul", "ol", "sup", "sub", "li", "b", "i", "u",
  "strong", "em", "s", "code", "hr", "br", "div", "table", "thead", "tbody", "tr", "th", "td", "caption", "pre",
  "span", "details", "summary",
]; // prettier-ignore
const ATTRIBUTES = ["href", "start", "data-mx-spoiler"];
const SCHEMES = /^(?:https?|ftp|mailto|magnet|matrix):/i;
const HTML_CHARS_MAX = 65_536;
const CACHED_MAX = 500;

const cache = new Map<string, string>();

/** Sanitised, with links made of addresses in the text. Keeps the last results, as rows are drawn again and again. */
export function sanitize(html: string): string {
  const known = cache.get(html);
  if (known !== undefined) return known;
  const clean = sanitizeNow(html.slice(0, HTML_CHARS_MAX));
  if (cache.size >= CACHED_MAX) cache.delete(cache.keys().next().value!);
  cache.set(html, clean);
  return clean;
}

function sanitizeNow(html: string): string {
  const fragment = DOMPurify.sanitize(withoutForbidden(html), {
    RETURN_DOM_FRAGMENT: true,
    ALLOWED_TAGS: TAGS,
    ALLOWED_ATTR: ATTRIBUTES,
    ALLOWED_URI_REGEXP: SCHEMES,
    ALLOW_DATA_ATTR: false,
    ALLOW_ARIA_ATTR: false,
    FORBID_CONTENTS: ["mx-reply", "script", "style", "svg", "math", "title", "textarea", "iframe", "noscript"],
  });
  const holder = document.createElement("div");
  holder.append(fragment);
  linkifyText(holder);
  for (const link of holder.querySelectorAll("a")) {
    if (!link.hasAttribute("href")) continue;
    link.setAttribute("target", "_blank");
    link.setAttribute("rel", "noreferrer noopener");
  }
  for (const hidden of holder.querySelectorAll("[data-mx-spoiler]")) {
    hidden.classList.add("spoiler");
    hidden.setAttribute("tabindex", "0");
  }
  return holder.innerHTML;
}

/**
 * Without the attributes that our policy forbids. DOMPurify removes them too, but only after they were
 * parsed, and then the browser has already written a violation into the console. This is for silence
 * alone: what it misses does no harm.
 */
function withoutForbidden(html: string): string {
  return html.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/[\s/](?:on[a-z]+|style)\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>]+)/gi, " "));
}

function linkifyText(root: HTMLElement): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!node.parentElement?.closest("a, code, pre")) texts.push(node as Text);
  }
  for (const text of texts) {
    const parts = splitLinks(text.data);
    if (parts.every((part) => part.href === undefined)) continue;
    text.replaceWith(
      ...parts.map((part) => {
        if (part.href === undefined) return document.createTextNode(part.text);
        const link = document.createElement("a");
        link.href = part.href;
        link.textContent = part.text;
        return link;
      }),
    );
  }
}

/** A run of text, or of a link. */
export interface TextPart {
  text: string;
  href?: string;
}

/** Splits text at the addresses in it. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let at = 0;
  for (const link of find(text, { defaultProtocol: "https" })) {
    if (!SCHEMES.test(link.href)) continue;
    if (link.start > at) parts.push({ text: text.slice(at, link.start) });
    parts.push({ text: link.value, href: link.href });
    at = link.end;
  }
  if (at < text.length) parts.push({ text: text.slice(at) });
  return parts;
}

/** The plain text of a reply without the quotation that older clients put before it. */
export function stripReplyFallback(body: string): string {
  if (!body.startsWith("> ")) return body;
  const lines = body.split("\n");
  const end = lines.findIndex((line) => !line.startsWith(">"));
  if (end < 0) return body;
  return lines.slice(lines[end] === "" ? end + 1 : end).join("\n");
}
