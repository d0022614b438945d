/** The parts of Element Plus in use, each with its own style, so that the rest stays out of the bundle. */

import 'element-plus/es/components/base/style/css'
import 'element-plus/es/components/alert/style/css'
import 'element-plus/es/components/button/style/css'
import 'element-plus/es/components/input/style/css'
import 'element-plus/es/components/message/style/css'

export { ElAlert } from 'element-plus/es/components/alert/index'
export { ElButton } from 'element-plus/es/components/button/index'
export { ElInput } from 'element-plus/es/components/input/index'
export { ElMessage } from 'element-plus/es/components/message/index'
