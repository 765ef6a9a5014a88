// What the keys do, in the map that is chosen.
import { h } from './dom.js';
import { open } from './dialogs.js';
import { map, shown } from './keys.js';
import { t } from './words.js';

const GROUPS = {
	decide: ['approve', 'hide', 'spam', 'escalate', 'reason', 'subtree', 'copies', 'copiesApproved', 'undo'],
	several: ['tick', 'tickAll', 'approveAll', 'hideAll', 'escalateAll'],
	look: ['next', 'prev', 'expand', 'thread', 'author', 'blur'],
	goOn: ['queue', 'nextQueue', 'news', 'work', 'quarter', 'search', 'help'],
};
const NAMES = { reason: 'whyHide', expand: 'showAll', news: 'showNews', spam: 'r.spam', help: 'keymap' };

function name(action) {
	const [, verb] = /(.+)All$/.exec(action) ?? [];
	return verb && verb !== 'tick' ? t('allTicked', { what: t(verb) }) : t(NAMES[action] ?? action);
}

export function showHelp() {
	const keys = { ...map(), ...(map().help && { queue: '1…6' }) };
	const row = (action) => [h('dt', {}, action === 'queue' ? shown(keys.queue) : [...keys[action]].map(shown)), h('dd', {}, name(action))];
	const group = ([title, actions]) => h('section', {}, h('h3', {}, t(title)), h('dl.keys', {}, actions.filter((action) => keys[action]).map(row)));
	return open(t('keymap'), () => h('div.groups', {}, keys.help ? Object.entries(GROUPS).map(group) : t('off')));
}
