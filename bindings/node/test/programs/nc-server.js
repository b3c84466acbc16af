// The server of netcluster's README, whose configuration has comments.
var Server = require('meshwork/netcluster').NCServer;
var server = new Server();
server.config = require('meshwork/netcluster').readConfig(process.argv[2]);
server.start(function () { console.log('ready'); });
process.on('SIGTERM', function () { server.stop(); });
