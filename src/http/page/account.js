// Signing in and out, and where one is signed in.
import { get, post, remove } from './api.js';
import { byId, fill, h, when } from './dom.js';
import { open } from './dialogs.js';
import { t } from './words.js';

// A one-time link has its token in the fragment, which no server log sees.
export function signIn() {
	return new Promise((resolve) => {
		const token = new URLSearchParams(location.hash.slice(1)).get('link');
		const enter = async (body) => {
			resolve(await post('moderation/session', body));
			fill(byId('gate'));
		};
		const gate = token ? linkForm(token, enter) : passwordForm(enter);
		fill(byId('gate'), h('h1', {}, 'Palabre'), gate);
		gate.querySelector('input, button').focus();
	});
}

function form(fields, label, submit, on401) {
	const outcome = h('p.bad', { role: 'alert' });
	const onsubmit = async (event) => {
		event.preventDefault();
		outcome.textContent = '';
		try {
			outcome.textContent = await submit(event.target.elements) ?? '';
		} catch ({ status, retryAfter, message }) {
			outcome.textContent = { 401: t(on401), 429: t('tooOften', { n: retryAfter }) }[status] ?? message;
		}
	};
	return h('form', { onsubmit }, fields, h('button.primary', {}, label), outcome);
}

const field = (name, autocomplete, type = 'password') => h('label', {}, t(name), h('input', { name, type, autocomplete, required: name !== 'old' }));

function passwordForm(enter) {
	const fields = [field('name', 'username', 'text'), field('password', 'current-password')];
	return form(fields, t('signin'), ({ name, password }) => enter({ name: name.value, password: password.value }), 'badLogin');
}

// One button: programs that check the links in mails would use the token up.
function linkForm(link, enter) {
	return form(h('a', { href: location.pathname }, t('password')), t('signin'), () => {
		history.replaceState(null, '', location.pathname + location.search);
		return enter({ link });
	}, 'badLink');
}

export async function signOut() {
	await remove('moderation/session').catch(() => {});
	location.reload();
}

export function showAccount(name) {
	const list = h('ul.sessions', { role: 'list' });
	const load = async () => fill(list, (await get('moderation/sessions')).items.map((session) => line(session, load)));
	load().catch(({ message }) => fill(list, message));
	const change = form([field('old', 'current-password'), field('new', 'new-password')], t('changePassword'), async (fields) => {
		await post('moderation/password', { old: fields.old.value || undefined, new: fields.new.value });
		return t('saved');
	}, 'badLogin');
	return open(name, () => [h('h3', {}, t('sessions')), list, change]);
}

const line = ({ id, agent, created_at: since, seen_at: seen, current }, load) => h(
	'li', {}, h('span', {}, agent ?? '–', ' ', h('span.dim', {}, when(since), ' – ', when(seen))),
	!current && h('button', { onclick: () => remove(`moderation/sessions/${id}`).then(load) }, t('revoke')),
);
