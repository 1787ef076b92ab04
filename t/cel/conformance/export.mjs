// Copyright (C) ngx_http_constraint_module authors
// SPDX-License-Identifier: BSD-2-Clause
//
//     node export.mjs PACKAGE
//
// Prints the conformance tests of an unpacked @bufbuild/cel-spec, one JSON
// object a line: { area, name, test, skip }.  test is a SimpleTest in
// protobuf's JSON mapping; skip is null, or the message type of a schema that
// the test names in its expression, type environment, container, bindings or
// result.  Which types a schema defines is read from the code that the package
// generated from it, so the well-known ones, which it does not define, are
// none of them.
//
// The constants of an enum that a test names are declared in its type
// environment, as ints.  A test whose result is a value or the name of an enum
// of a schema has that in skip: it is about enums as types of their own, which
// nothing but the schema can make known.

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
const results = ["value", "typedResult"];
const messages = new Set();
const enums = new Map();

schemaTypes(join(dist, "gen"));

if (messages.size === 0 || enums.size === 0) {
    throw new Error("the package defines no types: its form has changed");
}

walk(tests, null);


// messages, and enums with their constants, { name: number }

function schemaTypes(folder) {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name);

        if (entry.isDirectory()) {
            schemaTypes(path);

        } else if (entry.name.endsWith("_pb.d.ts")) {
            schemaFile(readFileSync(path, "utf8"));
        }
    }
}


function schemaFile(text) {
    let constants = {};

    for (const [, kind, name, number] of text.matchAll(
        /@generated from (message|enum|enum value:) ([\w.]+)(?: = (-?\d+);)?$/gm
    )) {
        if (kind === "message") {
            messages.add(name);

        } else if (kind === "enum") {
            constants = enums.get(name) ?? {};
            enums.set(name, constants);

        } else {
            constants[name] = number;
        }
    }
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
            area, name: `${suite.name}/${original.name}`,
            test: declared(original),
            skip: named(original, messages, parts)
                ?? named(original, enums, results),
        }) + "\n");
    }
}


function count(suite) {
    return (suite.tests ?? []).length
        + (suite.suites ?? []).reduce((sum, child) => sum + count(child), 0);
}


// the constants of the enum that the expression names

function declared(test) {
    const type = named(test, enums, ["expr"]);

    if (type === null) {
        return test;
    }

    const constants = Object.entries(enums.get(type)).map(([name, number]) => ({
        name: `${type}.${name}`,
        ident: { type: { primitive: "INT64" }, value: { int64Value: number } },
    }));

    return { ...test, typeEnv: [...test.typeEnv ?? [], ...constants] };
}


// the first of these types that one of the parts of a test names, or null

function named(test, types, where) {
    for (const part of where) {
        for (const text of texts(test[part])) {
            const dense = text.replace(space, " ").replace(/ ?\. ?/g, ".");

            for (const [name] of dense.matchAll(qualified)) {
                const type = schemaType(name, types, test.container ?? "");

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

function schemaType(name, types, container) {
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
