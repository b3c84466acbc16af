export * from './index.js'
import * as meshwork from './index.js'
export default meshwork
