#include "store/etcd_members.h"

#include <algorithm>

#include "io/time_limit.h"
#include "io/tls_stream.h"

namespace sheaf::kv {

namespace {

constexpr std::size_t most_idle = 4;

}  // namespace

Result<std::unique_ptr<EtcdMembers>> EtcdMembers::create(io::Loop& loop, EtcdOptions options) {
    if (options.urls.empty()) return fail(Kind::invalid, "etcd: no URL");
    auto members = std::unique_ptr<EtcdMembers>{new EtcdMembers{loop, std::move(options)}};
    members->resolver_ = TRY(io::SideThread::create(loop));
    if (std::ranges::any_of(members->options_.urls, &http::Url::secure))
        members->tls_ = TRY(io::TlsContext::create(io::TlsRole::client, members->options_.tls));
    return members;
}

Error EtcdMembers::of_member(std::size_t member, Error error) const {
    return std::move(error).within(options_.urls.at(member).text());
}

void EtcdMembers::leave(std::size_t member) {
    if (current_ == member) current_ = (member + 1) % count();
    std::erase_if(idle_, [member](const Idle& idle) { return idle.member == member; });
}

io::Task<std::unique_ptr<http::ClientConnection>> EtcdMembers::open(std::size_t member) {
    const auto& url = options_.urls.at(member);
    auto socket = co_await io::dial(loop_, *resolver_, url.peer);
    std::unique_ptr<io::ByteStream> stream =
        std::make_unique<io::SocketStream>(loop_, std::move(socket));
    if (url.secure) stream = co_await io::TlsStream::open(*tls_, std::move(stream), url.peer.host);
    co_return std::make_unique<http::ClientConnection>(std::move(stream), url.peer.text());
}

io::Task<std::unique_ptr<http::ClientConnection>> EtcdMembers::connect(std::size_t member) {
    auto opened = co_await io::within(loop_, options_.connect_limit, open(member)).result();
    if (opened) co_return *std::move(opened);
    auto error = of_member(member, std::move(opened).error());
    if (error.kind() != Kind::cancelled) leave(member);
    // A name that is not known is nothing that was asked for.
    if (error.kind() == Kind::not_found) error = Error{Kind::unavailable, error.text()};
    co_await Failure{std::move(error)};
    std::unreachable();
}

std::unique_ptr<http::ClientConnection> EtcdMembers::take_idle(std::size_t member) {
    std::erase_if(idle_, [](const Idle& idle) { return !idle.connection->is_free(); });
    const auto found = std::ranges::find(idle_, member, &Idle::member);
    if (found == idle_.end()) return nullptr;
    auto connection = std::move(found->connection);
    idle_.erase(found);
    return connection;
}

void EtcdMembers::put_idle(std::size_t member, std::unique_ptr<http::ClientConnection> connection) {
    if (idle_.size() < most_idle && connection->is_free())
        idle_.push_back({member, std::move(connection)});
}

http::Request EtcdMembers::request(std::string path, std::string body) {
    // A member that has lost the others fails rather than be silent.
    return {.method = "POST",
            .target = std::move(path),
            .headers = {{"Content-Type", "application/json"}, {"Grpc-Metadata-hasleader", "true"}},
            .body = std::move(body)};
}

io::Task<EtcdMembers::Connection> EtcdMembers::reach(std::size_t member) {
    if (auto idle = take_idle(member)) co_return idle;
    co_return co_await connect(member);
}

io::Task<http::Response> EtcdMembers::exchange(std::size_t member, Connection connection,
                                               http::Request request) {
    auto work = connection->ask(std::move(request), largest_answer);
    auto answered = co_await io::within(loop_, options_.answer_limit, std::move(work)).result();
    if (answered) put_idle(member, std::move(connection));
    if (!answered) co_await Failure{of_member(member, answered.error())};
    co_return *std::move(answered);
}

io::Task<std::string> EtcdMembers::ask(std::string path, std::string body, Again again) {
    auto failed = Error{Kind::unavailable, "etcd: no member was asked"};
    // Once more than there are members: a connection that was kept may have been closed meanwhile.
    for (std::size_t attempt = 0; attempt <= count(); ++attempt) {
        const auto member = current_;
        auto reached = co_await reach(member).result();
        if (!reached) {
            failed = std::move(reached).error();
            if (failed.kind() == Kind::cancelled) break;
            continue;
        }
        auto answered =
            co_await exchange(member, *std::move(reached), request(path, body)).result();
        if (answered && answered->status == 200) co_return std::move(answered->body);
        failed = answered
                     ? of_member(member, etcd::failure_of(answered->status, answered->body).error())
                     : answered.error();
        // Too much of an answer says nothing of what was done.
        if (again == Again::never && !answered && failed.kind() == Kind::exhausted)
            failed = Error{Kind::unavailable, failed.text()};
        if (!is_of_the_way(failed.kind())) break;
        leave(member);
        if (again == Again::never) break;
    }
    co_await Failure{std::move(failed)};
    std::unreachable();
}

io::Task<void> EtcdMembers::probe(std::size_t member) {
    auto body = etcd::list_request({.prefix = "", .after = "", .limit = 1});
    auto reached = co_await reach(member);
    auto asking = request("/v3/kv/range", std::move(body));
    const auto response = co_await exchange(member, std::move(reached), std::move(asking));
    if (response.status != 200) co_await etcd::failure_of(response.status, response.body);
}

Result<void> EtcdMembers::check(const etcd::Header& header) {
    if (cluster_ == 0) cluster_ = header.cluster;
    if (header.cluster == cluster_) return {};
    return fail(Kind::corrupt, "etcd: an answer of cluster {:x}, after those of {:x}",
                header.cluster, cluster_);
}

}  // namespace sheaf::kv
