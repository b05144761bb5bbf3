# What a user gets who pins nothing: the README's program with the default stack and its log, and two loops.
peers="floor nginx go fasthttp h2o svc"
path=/hello/world type=application/json body='{"hello":"world"}'
stack=default loops=2 clients="1 2" pinned=no
connections="1 4 16 64 256"
