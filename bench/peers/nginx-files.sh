# NGINX with sendfile, and its default of 2 MiB for one call of it.
packages="nginx-light"
build() { :; }
serve() {
    mkdir -p "$work/nginx"
    cat > "$work/nginx.conf" <<CONF
daemon off;
worker_processes $threads;
user root;
pid $work/nginx/pid;
error_log $work/nginx/errors;
events { worker_connections 1024; }
http {
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000000;
    client_body_temp_path $work/nginx/body;
    proxy_temp_path $work/nginx/proxy;
    fastcgi_temp_path $work/nginx/fastcgi;
    uwsgi_temp_path $work/nginx/uwsgi;
    scgi_temp_path $work/nginx/scgi;
    server {
        listen 127.0.0.1:$port;
        root $files;
    }
}
CONF
    exec nginx -e "$work/nginx/errors" -p "$work" -c "$work/nginx.conf"
}
