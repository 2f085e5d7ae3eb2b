// The frame of a script in Node: named checks, waiting with a limit, and asking the runner to kill the server.
//
// Import this file before the SDK. Every check prints one line, `ok NAME` or `not ok NAME: why`; the runner counts them.

import readline from "node:readline";

export const WAIT_MS_MAX = 30_000;
/// After a kill a client polls for the server with growing pauses of its own.
export const RECOVERY_MS_MAX = 90_000;

// The SDK writes to the console; the runner reads this script's own lines only.
const print = console.log.bind(console);
for (const method of ["trace", "debug", "log", "info", "warn", "error"]) console[method] = () => {};

// What the SDK does behind our back may fail while the server is down; only checks decide.
process.on("unhandledRejection", (error) => print(`# in the background: ${describe(error)}`));

let failures = 0;

export async function check(name, body) {
    try {
        await body();
        print(`ok ${name}`);
    } catch (error) {
        failures += 1;
        print(`not ok ${name}: ${describe(error)}`);
    }
}

/// A check that everything after it stands on.
export async function require(name, body) {
    const before = failures;
    await check(name, body);
    if (failures > before) {
        print(`not ok everything after "${name}": it stands on that`);
        process.exit(1);
    }
}

export function finish() {
    process.exit(failures === 0 ? 0 : 1);
}

function describe(error) {
    const body = error?.data ?? error?.body;
    const text = body ? `${statusOf(error)} ${JSON.stringify(body)}` : String(error?.stack ?? error);
    return text.replaceAll("\n", " | ").slice(0, 500);
}

export function assert(condition, message) {
    if (!condition) throw new Error(message);
}

export function assertEqual(actual, expected, what) {
    const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
    assert(a === b, `${what}: got ${a}, expected ${b}`);
}

/// The status of a refusal, which each SDK calls by another name.
function statusOf(error) {
    return error.httpStatus ?? error.statusCode;
}

/// The promise's rejection, which has to be a Matrix error of that status and code (`null`: any code).
export async function assertRefused(promise, status, errcode) {
    try {
        await promise;
    } catch (error) {
        assertEqual([statusOf(error), errcode && error.errcode], [status, errcode], "refusal");
        return;
    }
    throw new Error(`expected ${status} ${errcode}, but it was allowed`);
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/// Asks again and again until the answer is truthy.
export async function waitFor(what, ask, ms_max = WAIT_MS_MAX) {
    const end = Date.now() + ms_max;
    for (;;) {
        const answer = await ask();
        if (answer) return answer;
        if (Date.now() > end) throw new Error(`waited ${ms_max} ms in vain for ${what}`);
        await sleep(25);
    }
}

const lines = readline.createInterface({ input: process.stdin });
const answers = [];
const askers = [];
lines.on("line", (line) => (askers.length > 0 ? askers.shift()(line) : answers.push(line)));

/// Has the runner kill the server with signal 9 and start it again on its data. Resolves when it is up.
export function killServer() {
    print("KILL");
    return new Promise((resolve) => (answers.length > 0 ? resolve(answers.shift()) : askers.push(resolve)));
}
