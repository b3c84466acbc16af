// The receiver of netcluster's README; where its sockets are is told by the test.
var Agent = require('meshwork/netcluster').NCAgent;
var agent = new Agent({ dir: process.argv[2] });
agent.connect('B', function () {
    agent.on('log', function (msg) {
    console.log('A called:' + JSON.stringify(msg));
    agent.disconnect();
    });
    console.log('ready');
});
