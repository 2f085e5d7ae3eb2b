// Lets Node load the web UI's module `transport` as it stands, without a build: imported before it.

import { readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";

registerHooks({
    resolve(specifier, context, next) {
        const bare = specifier.startsWith(".") && context.parentURL?.endsWith(".ts") && !specifier.endsWith(".ts");
        return next(bare ? `${specifier}.ts` : specifier, context);
    },
    load(url, context, next) {
        if (!url.endsWith(".ts")) return next(url, context);
        const source = stripTypeScriptTypes(readFileSync(new URL(url), "utf8"), { mode: "transform" });
        return { format: "module", source, shortCircuit: true };
    },
});
