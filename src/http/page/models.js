// The admins' page: the models, what watches over them, and the thresholds. Each part asks for what it shows by itself.
import { get, session } from './api.js';
import { dress } from './chrome.js';
import { byId, fill, h, translate } from './dom.js';
import { modelsPart } from './models-list.js';
import { simulatorPart } from './models-simulator.js';
import { watchPart } from './models-watch.js';
import { learn, t } from './words.js';

const PARTS = [['models', modelsPart], ['watch', watchPart], ['simulator', simulatorPart]];

// What happened last, at the bottom.
const say = (text) => fill(byId('said'), text);

async function whoAmI() {
	try {
		return await get('moderation/session');
	} catch (problem) {
		if (problem.status !== 401) throw problem;
		return (await import('./account.js')).signIn();
	}
}

function drawTabs() {
	const here = location.hash.slice(1) || PARTS[0][0];
	const link = (name) => h('a', { href: `#${name}`, 'aria-current': name === here && 'location' }, t(name));
	fill(byId('tabs'), PARTS.filter(([name]) => byId(name)).map(([name]) => link(name)));
}

const refused = (me) => h('section', {}, h('header', {}, h('h2', {}, t('models'))), h('p', { role: 'alert' }, t('forAdmins', { name: me.name })), h('p', {}, h('a', { href: '../moderation' }, t('backToQueue'))));

async function enter() {
	byId('desk').hidden = true;
	const me = await whoAmI();
	byId('desk').hidden = false;
	translate();
	document.title = `${t('models')} · Palabre`;
	if (me.role !== 'admin') return fill(byId('admin'), refused(me));
	const { items: sites } = await get('v1/sites');
	const about = { say, sites: sites.map(({ slug }) => slug) };
	const parts = PARTS.map(([name, part]) => {
		const section = h('section', { id: name, 'aria-label': t(name) });
		return [section, part(section, about)];
	});
	fill(byId('admin'), parts.map(([section]) => section));
	await Promise.all(parts.map(async ([section, drawn]) => {
		try {
			if (await drawn === false) section.remove();
		} catch ({ message }) {
			section.append(h('p.bad', { role: 'alert' }, message));
		}
	}));
	drawTabs();
}

await learn('models');
dress();
try {
	await enter();
	addEventListener('hashchange', drawTabs);
	let entering;
	session.addEventListener('lost', () => { entering ??= enter().finally(() => { entering = null; }); });
} catch (problem) {
	fill(byId('gate'), h('p.bad', { role: 'alert' }, problem.message));
	throw problem;
}
