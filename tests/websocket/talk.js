// A WebSocket server, or a client of one, with the library that people use.
//   node talk.js serve PORT [CERTIFICATE KEY]
//                               a page for browsers and an echo, over TLS if there is a
//                               certificate; runs until its input ends
//   node talk.js ask URL        one line of JSON about the conversation
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import { WebSocket, WebSocketServer } from "ws";

const page = `<pre id="told"></pre><script>
const told = [], place = location.host + "/talk";
const socket = new WebSocket((location.protocol === "https:" ? "wss://" : "ws://") + place, "chat");
socket.onopen = () => { told.push("open " + socket.protocol); socket.send("hello"); };
socket.onmessage = (event) => { told.push("got " + event.data); socket.close(4000, "bye"); };
socket.onerror = () => told.push("error");
socket.onclose = (event) => {
  told.push("closed " + event.code + " " + event.wasClean);
  document.getElementById("told").textContent = told.join(", ");
};
</script>`;

const serve = (port, certificate, key) => {
  const give = (_, answer) => {
    answer.setHeader("Content-Type", "text/html");
    answer.end(page);
  };
  const server = certificate
    ? https.createServer({ cert: fs.readFileSync(certificate), key: fs.readFileSync(key) }, give)
    : http.createServer(give);
  const sockets = new WebSocketServer({
    server,
    perMessageDeflate: true,
    handleProtocols: (offered) => [...offered][0],
  });
  sockets.on("connection", (socket) => {
    socket.on("message", (data, binary) => socket.send(data, { binary }));
  });
  server.listen(port, "127.0.0.1", () => console.log("up"));
  process.stdin.on("end", () => process.exit(0)).resume();
};

const ask = (url) => {
  const told = { ponged: false };
  const large = Buffer.alloc(3_000_000, "ab");
  const socket = new WebSocket(url, ["chat", "other"], { rejectUnauthorized: false });
  socket.on("open", () => {
    told.protocol = socket.protocol;
    told.extension = socket.extensions;
    socket.ping();
    socket.send("hello");
  });
  socket.on("pong", () => (told.ponged = true));
  socket.on("message", (data, binary) => {
    if (!binary) {
      told.text = data.toString();
      socket.send(large);
    } else {
      told.large = data.equals(large);
      socket.close(4001, "done");
    }
  });
  socket.on("error", (error) => (told.error = error.message));
  socket.on("close", (code, reason) => {
    console.log(JSON.stringify({ ...told, code, reason: reason.toString() }));
  });
};

const [what, place, ...files] = process.argv.slice(2);
if (what === "serve") serve(Number(place), ...files);
else ask(place);
