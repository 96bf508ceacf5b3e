// A gRPC server and a client of it, in one process: `node calls.js SERVER_PORT CLIENT_PORT`. The client
// talks to CLIENT_PORT, where something may stand in front of the server. Prints one line of JSON a call.
// With CERTIFICATE KEY AUTHORITY behind the ports both speak TLS, and the client believes the authority.
// In the environment, all optional: STREAMS_MAX: so many calls at a time on one connection are all that the
// server takes. CONNECTION_AGE_MS: connections of that age get GOAWAY. SECOND_PORT: another server like it.
// With one of the latter calls go on for a while, and how many servers and connections they met is told.
import { EventEmitter, once } from "node:events";
import { readFileSync } from "node:fs";

import grpc from "@grpc/grpc-js";

const bytes = {
  requestSerialize: (b) => b,
  requestDeserialize: (b) => b,
  responseSerialize: (b) => b,
  responseDeserialize: (b) => b,
};
const call = (name, requestStream, responseStream) => ({
  path: `/test.Calls/${name}`,
  requestStream,
  responseStream,
  ...bytes,
});
const service = {
  unary: call("Unary", false, false),
  slow: call("Slow", false, false),
  up: call("Up", true, false),
  down: call("Down", false, true),
  both: call("Both", true, true),
};

const { STREAMS_MAX, CONNECTION_AGE_MS, SECOND_PORT } = process.env;
const options = {};
if (STREAMS_MAX) options["grpc.max_concurrent_streams"] = Number(STREAMS_MAX);
if (CONNECTION_AGE_MS) options["grpc.max_connection_age_ms"] = Number(CONNECTION_AGE_MS);
const slow = new EventEmitter(); // "began" and "cancelled", at a server
const connections = new Set(); // by the client's address, as a server sees it
const asked = new Set(); // the ports of servers
const behaviour = (port) => ({
  unary(heard, answer) {
    connections.add(heard.getPeer());
    asked.add(port);
    if (heard.request.toString() !== "fail") return answer(null, Buffer.from(`got ${heard.request}`));
    const metadata = new grpc.Metadata();
    metadata.set("x-why", "because");
    answer({ code: grpc.status.NOT_FOUND, details: "no such thing", metadata });
  },
  slow(heard) {
    heard.on("cancelled", () => slow.emit("cancelled"));
    slow.emit("began");
  },
  up(heard, answer) {
    let count = 0;
    heard.on("data", (part) => (count += part.length));
    heard.on("end", () => answer(null, Buffer.from(String(count))));
  },
  down(heard) {
    for (let i = 0; i < Number(heard.request.toString()); i++) heard.write(Buffer.from(`part ${i}`));
    heard.end();
  },
  both(heard) {
    heard.on("data", (part) => heard.write(Buffer.from(`echo ${part}`)));
    heard.on("end", () => heard.end());
  },
});

const [serverPort, clientPort, ...files] = process.argv.slice(2);
const [certificate, key, authority] = files.map((file) => readFileSync(file));
const ofServer = certificate
  ? grpc.ServerCredentials.createSsl(null, [{ cert_chain: certificate, private_key: key }])
  : grpc.ServerCredentials.createInsecure();
const ofClient = authority
  ? grpc.credentials.createSsl(authority)
  : grpc.credentials.createInsecure();
const Client = grpc.makeGenericClientConstructor(service, "Calls");

function tell(name, value) {
  console.log(JSON.stringify({ name, value }));
}

const settled = (begin) => new Promise((settle) => begin(settle));
const outcome = (settle) => (error, value) =>
  settle(
    error
      ? { code: error.code, details: error.details, why: error.metadata?.get("x-why") }
      : String(value),
  );

function collect(stream, settle, onPart = () => {}) {
  const parts = [];
  stream.on("data", (part) => {
    parts.push(String(part));
    onPart(parts.length);
  });
  stream.on("error", (error) => settle({ code: error.code, details: error.details }));
  stream.on("end", () => settle(parts));
}

const servers = [serverPort, SECOND_PORT].filter(Boolean).map((port) => {
  const server = new grpc.Server(options);
  server.addService(service, behaviour(port));
  const bound = settled((settle) => server.bindAsync(`127.0.0.1:${port}`, ofServer, settle));
  return { server, bound };
});

async function talk() {
  for (const { bound } of servers) {
    const error = await bound;
    if (error) throw error;
  }
  const client = new Client(`localhost:${clientPort}`, ofClient);
  tell("unary", await settled((settle) => client.unary(Buffer.from("a"), outcome(settle))));
  tell("failed", await settled((settle) => client.unary(Buffer.from("fail"), outcome(settle))));
  tell(
    "up",
    await settled((settle) => {
      const stream = client.up(outcome(settle));
      for (let i = 0; i < 50; i++) stream.write(Buffer.alloc(10_000));
      stream.end();
    }),
  );
  tell("down", await settled((settle) => collect(client.down(Buffer.from("300")), settle)));
  tell(
    "both", // the client says the next word when it heard the one before
    await settled((settle) => {
      const stream = client.both();
      collect(stream, settle, (count) =>
        count < 3 ? stream.write(Buffer.from(`m${count}`)) : stream.end(),
      );
      stream.write(Buffer.from("m0"));
    }),
  );
  const given = once(slow, "cancelled");
  const tooLate = await settled((settle) =>
    client.slow(Buffer.from("d"), { deadline: Date.now() + 500 }, outcome(settle)),
  );
  await given;
  tell("deadline", tooLate.code);
  const ended = once(slow, "cancelled");
  const cancelled = await settled((settle) => {
    const one = client.slow(Buffer.from("c"), outcome(settle));
    once(slow, "began").then(() => one.cancel());
  });
  await ended;
  tell("cancelled", cancelled.code);
  tell(
    "at once",
    await settled(async (settle) => {
      const many = Array.from({ length: 50 }, (_, i) =>
        settled((one) => client.unary(Buffer.from(String(i)), outcome(one))),
      );
      settle(await Promise.all(many));
    }),
  );
  if (CONNECTION_AGE_MS || SECOND_PORT) {
    let good = 0;
    const end = Date.now() + 1500;
    const goOn = async (name) => {
      while (Date.now() < end) {
        const heard = await settled((settle) => client.unary(Buffer.from(name), outcome(settle)));
        if (heard !== `got ${name}`) return heard;
        good++;
      }
      return "good";
    };
    tell("for a while", await Promise.all(["a", "b", "c", "d"].map(goOn)));
    tell("met", { calls: good, connections: connections.size, servers: asked.size });
  }
  client.close();
  for (const { server } of servers) server.forceShutdown();
}

talk();
