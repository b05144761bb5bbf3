// The gallery's page: the list, uploads without a reload, and pictures as others add them.
const pictures = document.querySelector('#pictures');
const form = document.querySelector('form');
const state = document.querySelector('#state');

function say(text, failed = false) {
    state.textContent = text;
    state.classList.toggle('failed', failed);
}

function make(name) {
    const link = document.createElement('a');
    const image = document.createElement('img');
    link.href = 'pictures/' + encodeURIComponent(name);
    link.dataset.name = name;
    image.src = link.href;
    image.loading = 'lazy';
    image.alt = name;
    link.append(image);
    return link;
}

function shown(name) {
    return [...pictures.children].some(link => link.dataset.name === name);
}

function add(name) {
    if (!shown(name))
        pictures.prepend(make(name));
}

async function load() {
    const reply = await fetch('pictures/?sort=modified&order=asc', {headers: {Accept: 'application/json'}});
    if (!reply.ok)
        return say(`The list cannot be read (${reply.status}).`, true);
    const {entries} = await reply.json();
    entries.filter(entry => entry.type === 'file').forEach(entry => add(entry.name));
}

// Whatever was added while there was no connection is on the list.
const events = new EventSource('events');
events.addEventListener('open', load);
events.addEventListener('picture', event => add(event.data));

form.addEventListener('submit', async event => {
    event.preventDefault();
    say('Uploading …');
    try {
        const reply = await fetch(form.action, {
            method: 'POST', body: new FormData(form), headers: {Accept: 'text/html, application/problem+json'},
        });
        if (reply.ok) {
            form.reset();
            say('Uploaded.');
        } else {
            const problem = await reply.json();
            say(problem.detail ?? problem.title, true);
        }
    } catch {
        say('The upload was broken off.', true);
    }
});
