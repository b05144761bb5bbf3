# A bare loop of sends to all listeners, by the same program.
. bench/peers/events.sh
serve() {
    exec "$out/events" bare "$port"
}
