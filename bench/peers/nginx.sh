# NGINX with `return 200`, and without an access log unless the workload has one.
packages="nginx-light"
build() { :; }
serve() {
    mkdir -p "$work/nginx"
    case $stack in
    none) access=off ;;
    *) access=$work/nginx/access ;;
    esac
    cat > "$work/nginx.conf" <<CONF
daemon off;
worker_processes $threads;
pid $work/nginx/pid;
error_log $work/nginx/errors;
events { worker_connections 20000; }
http {
    access_log $access;
    keepalive_requests 1000000000;
    client_body_temp_path $work/nginx/body;
    proxy_temp_path $work/nginx/proxy;
    fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi;
    scgi_temp_path $work/nginx/scgi;
    default_type $type;
    server {
        listen 127.0.0.1:$port backlog=16384;
        location / { return 200 '$body'; }
    }
}
CONF
    exec nginx -e "$work/nginx/errors" -p "$work" -c "$work/nginx.conf"
}
