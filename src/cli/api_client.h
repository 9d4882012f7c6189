#pragma once

// Why: verbs about objects ask the daemon over its socket, one question after another, and tell a
// person what to do where there is no daemon, or no permission.

#include <memory>
#include <optional>

#include "base/json_tree.h"
#include "cli/options.h"
#include "http/client_connection.h"
#include "io/loop.h"

namespace sheaf::cli {

inline constexpr std::string_view default_socket = "/run/sheaf/api.sock";
inline constexpr Option socket_option = {
    "socket", "PATH", "where the daemon listens (default: SHEAF_SOCKET, or /run/sheaf/api.sock)"};

struct ApiRequest {
    std::string method = "GET";
    std::string target;
    std::string body = {};
    std::string_view content_type = "application/json";
    std::string_view accept = "application/json";
};

inline constexpr std::string_view merge_patch_type = "application/merge-patch+json";
// A list as the server would show it to people.
inline constexpr std::string_view table_type =
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";

// Loop thread only. Each call turns the loop until there is an answer.
class ApiClient {
  public:
    // Connects with the first question.
    static Result<std::unique_ptr<ApiClient>> create(std::string socket);
    static Result<std::unique_ptr<ApiClient>> of(const Arguments& arguments);

    // The document that answers. A refusal fails with the server's words, and with the kind that
    // its code means; a warning is printed to the standard error.
    Result<Json> ask(ApiRequest request);
    // The same, where what comes back says nothing.
    Result<void> tell(ApiRequest request);
    // Makes the last question a stream: its lines, none at its end.
    Result<void> begin(ApiRequest request);
    Result<std::optional<std::string>> next_line();
    // The same in pieces, as they come.
    Result<std::optional<std::string>> next_piece();

    // A connection of its own.
    Result<Fd> connect() const;
    io::Loop& loop() { return *loop_; }

  private:
    explicit ApiClient(std::string socket, std::unique_ptr<io::Loop> loop)
        : socket_(std::move(socket)), loop_(std::move(loop)) {}
    Result<void> ensure_connection();
    Result<std::string> answer_to(ApiRequest request);
    io::Task<std::optional<std::string>> read_line();
    io::Task<unsigned> start(http::Request request);

    std::string socket_;
    std::unique_ptr<io::Loop> loop_;
    std::unique_ptr<http::ClientConnection> connection_;
    std::string received_;  // of a stream, and not given yet
};

// What a Status of the server means to a caller.
Error refusal_of(unsigned status, std::string_view body);

}  // namespace sheaf::cli
