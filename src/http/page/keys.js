// A capital letter stands for Shift. One can choose another map, or none: people who dictate need that, and some
// screen readers.
import { h } from './dom.js';
import { pref } from './prefs.js';
import { t } from './words.js';

const COMMON = {
	escalate: 'e', escalateAll: 'E', undo: 'z', next: 'j', prev: 'k', tick: 'x', tickAll: 'X', reason: 'r', copies: 'c', copiesApproved: 'C', subtree: 's',
	nextQueue: 't', thread: 'o', author: 'i', expand: 'm', news: 'n', work: 'w', quarter: 'q', search: '/', blur: 'b', help: '?',
};

const MAPS = {
	palabre: { approve: 'a', approveAll: 'A', hide: 'hd', hideAll: 'H', ...COMMON },
	wordpress: { approve: 'a', hide: 'ud', spam: 's', approveAll: 'A', hideAll: 'U', ...COMMON, subtree: 'S' },
	coral: { approve: 'd', hide: 'f', approveAll: 'D', hideAll: 'F', ...COMMON },
	off: {},
};

export const mapNames = () => [['palabre', 'Palabre'], ['wordpress', 'WordPress'], ['coral', 'Coral'], ['off', t('off')]];

// Holding the key down repeats only what decides nothing.
const REPEATS = ['next', 'prev'];

export const map = () => MAPS[pref('keymap', 'palabre')] ?? MAPS.palabre;
export const shown = (key) => h('kbd', {}, key === key.toLowerCase() ? key : `⇧${key}`);

export const keyOf = (action) => map()[action] && shown(map()[action][0]);

// Here letters are text, or choose an option.
const isTyping = (target) => target.matches('input:not([type=checkbox]), textarea, select');

function meaning({ key, code, shiftKey }) {
	// With Caps Lock on, "a" arrives as "A".
	const letter = /^\p{L}$/u.test(key) ? (shiftKey ? key.toUpperCase() : key.toLowerCase()) : key;
	const action = Object.keys(map()).find((name) => map()[name].includes(letter));
	if (action) return [action];
	// By place: the digits of a French keyboard need Shift.
	const digit = /^(?:Digit|Numpad)([1-6])$/.exec(code);
	return digit && map().help ? ['queue', Number(digit[1])] : [];
}

export function listen(act) {
	document.addEventListener('keydown', (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented || isTyping(event.target) || document.querySelector('dialog[open]')) return;
		const [action, argument] = meaning(event);
		if (!action || (event.repeat && !REPEATS.includes(action))) return;
		event.preventDefault();
		act(action, argument);
	});
}
