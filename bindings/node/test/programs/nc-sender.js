// The sender of netcluster's README, with one bracket less; where its sockets are is told by the test.
var Agent = require('meshwork/netcluster').NCAgent;
var agent = new Agent({ dir: process.argv[2] });
agent.connect('A', function () {
    function loop() {
        agent.emit('log', 'TESTE');
        setTimeout(loop, 1000);
    }
    loop();
});
