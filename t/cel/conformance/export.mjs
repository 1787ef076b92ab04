// Copyright (C) ngx_http_constraint_module authors
// SPDX-License-Identifier: BSD-2-Clause
//
//     node export.mjs PACKAGE
//
// Prints the conformance tests of an unpacked @bufbuild/cel-spec, one JSON
// object a line: { area, name, test, skip }.  test is a SimpleTest in
// protobuf's JSON mapping; skip is null, or the message or enum type of a
// schema that the test names.  Which types a schema defines is read from the
// code that the package generated from it, so the well-known ones, which it
// does not define, are none of them.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const dist = resolve(process.argv[2], "dist/esm");
const data = join(dist, "testdata/conformance.js");
const { tests } = await import(pathToFileURL(data).href);

const space = /(?:\s|\/\/[^\n]*\n)+/g;
const qualified = /[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*/g;
const parts = ["expr", "typeEnv", "container", "bindings", "value",
    "typedResult"];
const types = new Set(schemaTypes(join(dist, "gen")));

if (types.size === 0) {
    throw new Error("the package defines no types: its form has changed");
}

walk(tests, null);


function schemaTypes(folder) {
    return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
        const path = join(folder, entry.name);

        if (entry.isDirectory()) {
            return schemaTypes(path);
        }

        if (!entry.name.endsWith("_pb.d.ts")) {
            return [];
        }

        return [...readFileSync(path, "utf8").matchAll(
            /@generated from (?:message|enum) ([\w.]+)$/gm)].map((m) => m[1]);
    });
}


function walk(suite, area) {
    for (const child of suite.suites ?? []) {
        walk(child, area ?? child.name);

        if (area === null && count(child) === 0) {
            process.stdout.write(JSON.stringify({ area: child.name }) + "\n");
        }
    }

    for (const { original } of suite.tests ?? []) {
        process.stdout.write(JSON.stringify({
            area, name: `${suite.name}/${original.name}`, test: original,
            skip: named(original),
        }) + "\n");
    }
}


function count(suite) {
    return (suite.tests ?? []).length
        + (suite.suites ?? []).reduce((sum, child) => sum + count(child), 0);
}


// the first type of a schema that one of the test's parts names, or null

function named(test) {
    for (const part of parts) {
        for (const text of texts(test[part])) {
            const dense = text.replace(space, " ").replace(/ ?\. ?/g, ".");

            for (const [name] of dense.matchAll(qualified)) {
                const type = schemaType(name, test.container ?? "");

                if (type !== null) {
                    return type;
                }
            }
        }
    }

    return null;
}


function texts(value) {
    if (typeof value === "string") {
        return [value];
    }

    return value !== null && typeof value === "object"
        ? Object.values(value).flatMap(texts) : [];
}


// "a.b.C.d" as the container resolves it: whether a start of it is a type

function schemaType(name, container) {
    for (let scope = container; ; scope = parent(scope)) {
        for (let start = name; start !== ""; start = parent(start)) {
            const type = scope === "" ? start : `${scope}.${start}`;

            if (types.has(type)) {
                return type;
            }
        }

        if (scope === "") {
            return null;
        }
    }
}


function parent(name) {
    return name.includes(".") ? name.slice(0, name.lastIndexOf(".")) : "";
}
