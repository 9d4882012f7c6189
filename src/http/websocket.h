#pragma once

// Why: a terminal in a browser or in virtctl is a connection of bytes inside HTTP (RFC 6455).

#include "http/exchange.h"
#include "http/websocket_frames.h"
#include "io/event.h"

namespace sheaf::http {

// A server's end of a WebSocket, for as long as the handler of the exchange runs. Loop thread only;
// one receive() and one send() at a time.
class WebSocket {
  public:
    // Does the handshake, of which the client has to offer `protocol`. Where the request is none,
    // it is answered so, and false is given.
    static io::Task<bool> shake_hands(Exchange& exchange, std::string protocol);

    explicit WebSocket(Exchange& exchange) : exchange_(exchange) {}

    // The next message that is not empty; none once the client closes, goes, or breaks the
    // protocol, which it is told of. Pings are answered meanwhile.
    io::Task<std::optional<std::string>> receive();
    // A binary message. Fails where the client has gone or does not hear it in time.
    io::Task<void> send(std::string message);
    // The last thing that is sent. Nothing where it was sent already.
    io::Task<void> end(CloseCode code);

  private:
    io::Task<std::optional<WebSocketEvent>> next_event();
    io::Task<void> put(std::string frame);

    Exchange& exchange_;
    WebSocketParser parser_;
    std::string outbox_;
    bool sending_ = false;
    bool closed_ = false;
    io::Event sent_;
};

}  // namespace sheaf::http
