// The receiver of peer.sh: prints its address, and then each request of traces as one line of JSON.
const {MockOtlpServer, normalizeTrace} = require(process.argv[2]);

const server = new MockOtlpServer({
    logLevel: 'warn',
    services: ['http'],
    httpHostname: '127.0.0.1',
    httpPort: 0,
    onTrace: (trace) => console.log(JSON.stringify(normalizeTrace(trace))),
});
server.start().then(() => console.log(`listening ${server.httpUrl}`));
