import netcluster from './netcluster.js'

export const { NCServer, NCAgent, readConfig, optionsOf } = netcluster
export default netcluster
