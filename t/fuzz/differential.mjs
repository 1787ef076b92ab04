// Copyright (C) ngx_http_constraint_module authors
// SPDX-License-Identifier: BSD-2-Clause
//
//     node differential.mjs FOLDER
//
// Evaluates with the @bufbuild/cel below FOLDER: a JSON object a line in,
// { expr, bindings } with the bindings of a cel.expr SimpleTest; a line out,
// { value } with a cel.expr.Value, or { error } with its message.  What has no
// answer in 5 seconds is ended, and is an error.

import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isMainThread, parentPort, Worker, workerData }
    from "node:worker_threads";

// Node.js has it from 20 on, Debian 12 has 18

String.prototype.isWellFormed ??= function () {
    return !/\p{Surrogate}/u.test(this);
};

const folder = workerData ?? resolve(process.argv[2]);
const require = createRequire(join(folder, "x.js"));
const cel = require("@bufbuild/cel");
const { strings } = require("@bufbuild/cel/ext");
const wkt = require("@bufbuild/protobuf/wkt");
const { fromJson, toJson } = require("@bufbuild/protobuf");

if (isMainThread) {
    await main();

} else {
    parentPort.on("message", (line) =>
        parentPort.postMessage(JSON.stringify(answer(JSON.parse(line)))));
}


async function main() {
    let worker = null;

    for await (const line of createInterface({ input: process.stdin })) {
        worker ??= new Worker(fileURLToPath(import.meta.url),
            { workerData: folder });

        const said = await ask(worker, line);

        if (said === null) {
            await worker.terminate();
            worker = null;
        }

        console.log(said ?? JSON.stringify({ error: "no answer" }));
    }

    await worker?.terminate();
}


// null when it takes too long

function ask(worker, line) {
    return new Promise((resolve, reject) => {
        const timer = setTimeout(() => done(resolve, null), 5000);
        const done = (settle, value) => {
            clearTimeout(timer);
            worker.removeAllListeners("message");
            worker.removeAllListeners("error");
            settle(value);
        };

        worker.once("message", (said) => done(resolve, said));
        worker.once("error", (error) => done(reject, error));
        worker.postMessage(line);
    });
}


function answer(test) {
    const bindings = {};

    for (const [name, bound] of Object.entries(test.bindings ?? {})) {
        bindings[name] = read(bound.value);
    }

    try {
        const value = cel.run(test.expr, bindings, { funcs: strings });

        return cel.isCelError(value) ? { error: value.message }
            : { value: write(value) };

    } catch (error) {
        return { error: `thrown: ${error.message}` };
    }
}


function read(value) {
    const [kind, body] = Object.entries(value)[0];

    switch (kind) {
    case "int64Value":
        return BigInt(body);

    case "uint64Value":
        return cel.celUint(BigInt(body));

    case "doubleValue":
        return Number(body);

    case "bytesValue":
        return new Uint8Array(Buffer.from(body, "base64"));

    case "listValue":
        return (body.values ?? []).map(read);

    case "mapValue":
        return new Map((body.entries ?? []).map((entry) =>
            [read(entry.key), read(entry.value)]));

    case "objectValue":
        return message(body);

    default:
        return body;
    }
}


// timestamps and durations, as protobuf's JSON has them

function message(body) {
    return fromJson(body["@type"].endsWith("Timestamp")
        ? wkt.TimestampSchema : wkt.DurationSchema, body.value);
}


function double(value) {
    if (Number.isFinite(value)) {
        return Object.is(value, -0) ? "-0" : value;
    }

    return String(value);
}


function write(value) {
    if (value === null) {
        return { nullValue: null };
    }

    switch (typeof value) {
    case "boolean":
        return { boolValue: value };

    case "bigint":
        return { int64Value: String(value) };

    case "number":
        return { doubleValue: double(value) };

    case "string":
        if (!value.isWellFormed()) {
            throw new Error("half a character");
        }

        return { stringValue: value };
    }

    if (value instanceof Uint8Array) {
        return { bytesValue: Buffer.from(value).toString("base64") };
    }

    if (cel.isCelUint(value)) {
        return { uint64Value: String(value.value) };
    }

    if (cel.isCelType(value)) {
        return { typeValue: value.name };
    }

    if (cel.isCelList(value)) {
        return { listValue: { values: [...value].map(write) } };
    }

    if (cel.isCelMap(value)) {
        return { mapValue: { entries: [...value].map(([key, item]) =>
            ({ key: write(key), value: write(item) })) } };
    }

    return { objectValue: {
        "@type": `type.googleapis.com/${value.desc.typeName}`,
        "value": toJson(value.desc, value.message) } };
}
