"""The receiver of tls.sh: prints its address, then of each request its path and the name in its client's
certificate. With a second argument, the authority of clients, one without a certificate is refused.

    tls.py SERVER-CERTIFICATE-AND-KEY [AUTHORITY]
"""
import http.server
import ssl
import sys


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        subject = (self.connection.getpeercert() or {}).get("subject", ((("", "nobody"),),))
        print("request", self.path, subject[0][0][1], flush=True)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


class Server(http.server.HTTPServer):
    def handle_error(self, *_):
        print("broken off", flush=True)


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    if len(sys.argv) > 2:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(sys.argv[2])
    server = Server(("127.0.0.1", 0), Receiver)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print(f"listening https://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


main()
