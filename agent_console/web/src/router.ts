import { createRouter, createWebHistory } from 'vue-router'

import LoginPage from '@/pages/LoginPage.vue'
import MissingPage from '@/pages/MissingPage.vue'
import { useSession } from '@/stores/session'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'home', component: MissingPage }, // left at once, by the guard below
    { path: '/login', name: 'login', component: LoginPage },
    { path: '/agent', name: 'agent', component: () => import('@/pages/AgentPage.vue') },
    { path: '/board', name: 'floor', component: () => import('@/pages/FloorPage.vue') },
    { path: '/wallboard', name: 'wallboard', component: () => import('@/pages/WallboardPage.vue') },
    { path: '/wallboard/calls', name: 'calls', component: () => import('@/pages/CallsPage.vue') },
    { path: '/figures', name: 'figures', component: () => import('@/pages/FiguresPage.vue') },
    { path: '/staffing', name: 'staffing', component: () => import('@/pages/StaffingPage.vue') },
    { path: '/reports', name: 'reports', component: () => import('@/pages/ReportsPage.vue') },
    { path: '/test-calls', name: 'trials', component: () => import('@/pages/TestCallsPage.vue') },
    { path: '/:rest(.*)*', name: 'missing', component: MissingPage },
  ],
})

/** Where to go after signing in: only ever a path of this site. */
export function safeTarget(wanted: unknown, home: string): string {
  return typeof wanted === 'string' && /^\/(?![/\\])/.test(wanted) && !wanted.startsWith('/login')
    ? wanted
    : home
}

router.beforeEach(async (to) => {
  const session = useSession()
  if (!session.asked) await session.load()
  if (to.name === 'login') return session.me === null ? true : safeTarget(to.query['next'], session.home)
  if (session.me === null) {
    return { name: 'login', query: to.name === 'home' ? {} : { next: to.fullPath } }
  }
  return to.name === 'home' ? session.home : true
})
