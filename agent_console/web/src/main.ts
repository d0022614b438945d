import './element'
import './styles/base.css'

import { createPinia } from 'pinia'
import { createApp } from 'vue'

import App from './App.vue'
import { i18n, useLanguageOf } from './i18n'
import { router } from './router'

useLanguageOf(null)
createApp(App).use(createPinia()).use(i18n).use(router).mount('#app')
