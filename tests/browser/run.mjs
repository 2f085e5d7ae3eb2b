// Runs the cases against the built server, one after the other, each with people of its own.
//
//   node run.mjs [--screenshots FOLDER] [--repeat N] [--form desktop|phone] [WORD..]
//
// Each case runs for people at a desktop in the light theme, then for people with a phone in the dark theme,
// unless it names the one form that it is about. With words, only cases whose names have them all.

import { readdirSync } from "node:fs";

import { FORMS, launch, Server, World } from "./harness.mjs";

const CASE_MS_MAX = 180_000;

const options = { shots: undefined, repeat: 1, form: undefined, words: [] };
for (let index = 2; index < process.argv.length; index += 1) {
  const word = process.argv[index];
  if (word === "--screenshots") options.shots = process.argv[(index += 1)];
  else if (word === "--repeat") options.repeat = Number(process.argv[(index += 1)]);
  else if (word === "--form") options.form = process.argv[(index += 1)];
  else options.words.push(word.toLowerCase());
}

const cases = [];
for (const file of readdirSync(new URL("cases/", import.meta.url)).sort()) {
  const module = await import(`./cases/${file}`);
  for (const [name, run, only] of module.cases) cases.push({ name: `${file.replace(".mjs", "")}: ${name}`, run, only });
}
const chosen = cases.filter(({ name }) => options.words.every((word) => name.toLowerCase().includes(word)));

const forms = Object.keys(FORMS).filter((form) => !options.form || form === options.form);
const turns = forms.flatMap((form) => chosen.filter(({ only }) => !only || only === form).map((one) => ({ ...one, form })));

const server = new Server();
await server.start();
const browser = await launch();
let passed = 0;
let failed = 0;
for (let round = 1; round <= options.repeat; round += 1) {
  for (const { name, run, form } of turns) {
    const world = new World(browser, server, form === "desktop" ? options.shots : undefined, FORMS[form]);
    const started = Date.now();
    let timer;
    try {
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`not done after ${CASE_MS_MAX} ms`)), CASE_MS_MAX);
      });
      await Promise.race([run(world), late]);
      const complaints = world.complaints();
      if (complaints.length > 0) throw new Error(complaints.join("\n    "));
      passed += 1;
      console.log(`  ok ${name}, ${form} (${Date.now() - started} ms)`);
    } catch (error) {
      failed += 1;
      console.log(`  not ok ${name}, ${form}\n    ${error.stack ?? error}`);
      for (const complaint of world.complaints()) console.log(`    ${complaint}`);
      await world.keepFailure(`${name} ${form}`);
    } finally {
      clearTimeout(timer);
      await world.end();
    }
  }
}
await browser.close();
await server.end();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);
