// Lines to a chain that lie, or say nothing.
import { createServer } from 'node:http';
import { once } from 'node:events';

const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };

async function listen(answer) {
  const server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const close = () => new Promise((closed) => (server.close(closed), server.closeAllConnections()));
  return { url: `http://127.0.0.1:${server.address().port}`, close };
}

/** Forwards to an endpoint. `alter`: by method, what becomes of its result; an `Error` in place of any result. */
export const liar = (rpc, alter) =>
  listen(async (request, response) => {
    if (request.method === 'OPTIONS') return response.writeHead(204, cors).end();
    const body = Buffer.concat(await request.toArray());
    const { method, id } = JSON.parse(body);
    const sent = await fetch(rpc, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const answer = await sent.json();
    const how = alter[method];
    if (how instanceof Error) answer.error = { code: -32601, message: how.message };
    else if (how && answer.result) answer.result = how(answer.result);
    response.writeHead(200, { ...cors, 'content-type': 'application/json' });
    response.end(JSON.stringify(answer.error ? { jsonrpc: '2.0', id, error: answer.error } : answer));
  });

/** Takes requests and never answers. */
export const silent = () => listen(() => {});
