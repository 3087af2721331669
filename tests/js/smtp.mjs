// A mail server of other people's, which can refuse, put off, break off and hold.
//
//   node smtp.mjs '{"refuse":["a@example.edu"],"defer":["b@example.edu"],"breakAt":3,"holdAt":2,"auth":{"user":"u","pass":"p"},
//                   "tls":{"key":"key.pem","cert":"cert.pem"},"refuseSender":true}'
//
// Prints `{"port":…}`, then a line of JSON for each thing that happens: `{"mail":{…}}` once a mail is taken, `{"held":true}`,
// `{"broke":true}`. It ends with its standard input. A line on it lets go what is held.
import {readFileSync} from 'node:fs';
import {createInterface} from 'node:readline';

import {simpleParser} from 'mailparser';
import {SMTPServer} from 'smtp-server';

const {refuse = [], defer = [], breakAt, holdAt, auth, tls, refuseSender = false} = JSON.parse(process.argv[2] ?? '{}');
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const fail = (code, text) => Object.assign(new Error(text), {responseCode: code});
const deferred = new Set(defer);
let mails = 0;
let letGo = () => {};

const server = new SMTPServer({
  disabledCommands: [...(auth ? [] : ['AUTH']), ...(tls ? [] : ['STARTTLS'])],
  authOptional: !auth,
  hideSTARTTLS: !tls,
  ...(tls && {key: readFileSync(tls.key), cert: readFileSync(tls.cert)}),
  logger: false,
  onAuth: ({username, password}, session, done) => {
    const good = session.secure && username === auth.user && password === auth.pass;
    done(good ? null : fail(535, '5.7.8 wrong user or password'), {user: username});
  },
  onMailFrom: (_, __, done) => done(refuseSender ? fail(550, '5.7.1 sender not allowed') : null),
  onRcptTo: ({address}, _, done) => {
    if(refuse.includes(address)) {
      return done(fail(550, `5.1.1 <${address}>: no such user`));
    }
    // Greylisting: the first time only.
    done(deferred.delete(address) ? fail(451, '4.7.1 greylisted') : null);
  },
  onData: (stream, session, done) => {
    mails += 1;
    const number = mails;
    simpleParser(stream).then(async (mail) => {
      if(number === breakAt) {
        tell({broke: true});
        return server.connections.forEach(connection => connection._socket.destroy());
      }
      if(number === holdAt) {
        tell({held: true});
        await new Promise(resolve => { letGo = resolve; });
      }
      const {messageId, subject, text, html, headerLines} = mail;
      const to = session.envelope.rcptTo.map(({address}) => address);
      tell({mail: {to, messageId, subject, text, html, headers: headerLines.map(({key}) => key)}});
      done();
    }, done);
  },
});
server.on('error', () => {});
server.listen(0, '127.0.0.1', () => tell({port: server.server.address().port}));
createInterface({input: process.stdin}).on('line', () => letGo()).on('close', () => process.exit());
