# The README's program with the default stack: JSON by jansson, request ids, metrics, log to a file.
peers="floor svc"
path=/hello/world type=application/json body='{"hello":"world"}'
stack=default
