// A gRPC server and a client of it, in one process: `node calls.js SERVER_PORT CLIENT_PORT`. The client
// talks to CLIENT_PORT, where something may stand in front of the server. Prints one line of JSON a call.
// With CERTIFICATE KEY AUTHORITY behind the ports both speak TLS, and the client believes the authority.
// STREAMS_MAX in the environment: so many calls at a time on one connection are all that the server takes.
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

const limit = Number(process.env.STREAMS_MAX ?? 0);
const server = new grpc.Server(limit ? { "grpc.max_concurrent_streams": limit } : {});
const slow = new EventEmitter(); // "began" and "cancelled", at the server
server.addService(service, {
  unary(heard, answer) {
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

const asked = (begin) => new Promise((settle) => begin(settle));
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

server.bindAsync(`127.0.0.1:${serverPort}`, ofServer, async (error) => {
  if (error) throw error;
  const client = new Client(`localhost:${clientPort}`, ofClient);
  tell("unary", await asked((settle) => client.unary(Buffer.from("a"), outcome(settle))));
  tell("failed", await asked((settle) => client.unary(Buffer.from("fail"), outcome(settle))));
  tell(
    "up",
    await asked((settle) => {
      const stream = client.up(outcome(settle));
      for (let i = 0; i < 50; i++) stream.write(Buffer.alloc(10_000));
      stream.end();
    }),
  );
  tell("down", await asked((settle) => collect(client.down(Buffer.from("300")), settle)));
  tell(
    "both", // the client says the next word when it heard the one before
    await asked((settle) => {
      const stream = client.both();
      collect(stream, settle, (count) =>
        count < 3 ? stream.write(Buffer.from(`m${count}`)) : stream.end(),
      );
      stream.write(Buffer.from("m0"));
    }),
  );
  const given = once(slow, "cancelled");
  const tooLate = await asked((settle) =>
    client.slow(Buffer.from("d"), { deadline: Date.now() + 500 }, outcome(settle)),
  );
  await given;
  tell("deadline", tooLate.code);
  const ended = once(slow, "cancelled");
  const cancelled = await asked((settle) => {
    const one = client.slow(Buffer.from("c"), outcome(settle));
    once(slow, "began").then(() => one.cancel());
  });
  await ended;
  tell("cancelled", cancelled.code);
  tell(
    "at once",
    await asked(async (settle) => {
      const many = Array.from({ length: 50 }, (_, i) =>
        asked((one) => client.unary(Buffer.from(String(i)), outcome(one))),
      );
      settle(await Promise.all(many));
    }),
  );
  client.close();
  server.forceShutdown();
});
