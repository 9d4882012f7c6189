#pragma once

// Why: a client that says exactly what a test wants said, well-formed or not.

#include <string>
#include <vector>

#include "storage/nbd/input.h"
#include "storage/nbd/output.h"
#include "storage/nbd/protocol.h"
#include "storage/nbd/wire_buffer.h"

namespace sheaf::test {

class NbdClient {
  public:
    using Number16 = BigEndian<std::uint16_t>;
    using Number32 = BigEndian<std::uint32_t>;
    using Number64 = BigEndian<std::uint64_t>;

    struct OptionAnswer {
        nbd::OptionReply type;
        std::vector<std::byte> data;
        bool operator==(nbd::OptionReply other) const { return type == other; }
    };
    struct Answer {
        std::uint64_t cookie = 0;
        nbd::WireError error = nbd::WireError::none;
        std::vector<std::byte> data;  // of a simple reply, or the payload of a chunk
        nbd::Chunk type = nbd::Chunk::none;
        bool structured = false;
        bool done = true;
    };
    struct Ask {
        nbd::Command command = nbd::Command::read;
        std::uint16_t flags = 0;
        std::uint64_t cookie = 1;
        std::uint64_t offset = 0;
        std::uint32_t length = 4096;
    };

    NbdClient(io::Loop& loop, Fd socket)
        : loop_(loop), socket_(std::move(socket)), input_(loop, socket_.get()) {}

    int descriptor() const { return socket_.get(); }
    void close() { socket_.reset(); }
    io::Task<void> send(std::vector<std::byte> bytes) {
        co_await nbd::send_all(loop_, socket_.get(), bytes);
    }
    // Whether the server has closed the connection; what it said before is dropped.
    io::Task<bool> closed() {
        while (true) {
            const auto more = co_await input_.fill(1).result();
            if (!more || !*more) co_return true;
            input_.take(input_.buffered());
        }
    }

    io::Task<nbd::Greeting> greet(std::uint32_t flags = 3) {
        co_await need(sizeof(nbd::Greeting));
        const auto greeting = input_.take<nbd::Greeting>();
        nbd::WireBuffer answer;
        answer.put(Number32{flags});
        co_await nbd::send_all(loop_, socket_.get(), answer.bytes());
        co_return greeting;
    }
    io::Task<void> send_option(std::uint32_t code, std::vector<std::byte> data) {
        nbd::OptionHeader header;
        header.code = code;
        header.length = static_cast<std::uint32_t>(data.size());
        nbd::WireBuffer bytes;
        bytes.put(header);
        bytes.put_bytes(data);
        co_await nbd::send_all(loop_, socket_.get(), bytes.bytes());
    }
    // All replies to an option, the final one last.
    io::Task<std::vector<OptionAnswer>> ask(nbd::OptionCode code,
                                            std::vector<std::byte> data = {}) {
        co_await send_option(static_cast<std::uint32_t>(code), std::move(data));
        std::vector<OptionAnswer> answers;
        while (true) {
            co_await need(sizeof(nbd::OptionReplyHeader));
            const auto header = input_.take<nbd::OptionReplyHeader>();
            std::vector<std::byte> text(header.length);
            co_await input_.receive(text);
            const auto type = static_cast<nbd::OptionReply>(std::uint32_t{header.type});
            answers.push_back({type, std::move(text)});
            if (type == nbd::OptionReply::ack || (header.type & 0x80000000U) != 0) break;
        }
        co_return answers;
    }
    static std::vector<std::byte> info_data(std::string_view name,
                                            std::vector<std::uint16_t> wanted = {}) {
        nbd::WireBuffer data;
        data.put(Number32{static_cast<std::uint32_t>(name.size())});
        data.put_text(name);
        data.put(Number16{static_cast<std::uint16_t>(wanted.size())});
        for (const auto item : wanted) data.put(Number16{item});
        return {data.bytes().begin(), data.bytes().end()};
    }
    static std::vector<std::byte> context_data(std::string_view name,
                                               std::vector<std::string> queries) {
        nbd::WireBuffer data;
        data.put(Number32{static_cast<std::uint32_t>(name.size())});
        data.put_text(name);
        data.put(Number32{static_cast<std::uint32_t>(queries.size())});
        for (const auto& query : queries) {
            data.put(Number32{static_cast<std::uint32_t>(query.size())});
            data.put_text(query);
        }
        return {data.bytes().begin(), data.bytes().end()};
    }
    // To the transmission phase, with everything or with nothing but the export.
    io::Task<void> enter(std::string name, bool structured) {
        co_await greet();
        if (structured) {
            co_await ask(nbd::OptionCode::structured_reply);
            auto contexts = context_data(name, {"base:allocation"});
            co_await ask(nbd::OptionCode::set_meta_context, std::move(contexts));
        }
        const auto answers = co_await ask(nbd::OptionCode::go, info_data(name));
        if (!(answers.back() == nbd::OptionReply::ack))
            co_await fail(Kind::invalid, "{}", as_text(answers.back().data));
    }

    io::Task<void> request(Ask what, std::vector<std::byte> payload = {}) {
        nbd::RequestHeader header;
        header.flags = what.flags;
        header.command = static_cast<std::uint16_t>(what.command);
        header.cookie = what.cookie;
        header.offset = what.offset;
        header.length = what.length;
        nbd::WireBuffer bytes;
        bytes.put(header);
        bytes.put_bytes(payload);
        co_await nbd::send_all(loop_, socket_.get(), bytes.bytes());
    }
    // The next reply or chunk; a simple one is followed by `content` bytes where it is no error.
    io::Task<Answer> reply(std::size_t content = 0) {
        Answer answer;
        co_await need(sizeof(nbd::SimpleReplyHeader));
        const auto start = input_.take<nbd::SimpleReplyHeader>();
        std::size_t length = start.error == 0 ? content : 0;
        answer.cookie = start.cookie;
        if (start.magic == nbd::structured_reply_magic) {
            // Flags and type are where a simple reply has its error.
            const std::uint32_t word = start.error;
            answer.structured = true;
            answer.done = ((word >> 16) & nbd::chunk_done) != 0;
            answer.type = static_cast<nbd::Chunk>(word & 0xffffU);
            co_await need(sizeof(Number32));
            length = input_.take<Number32>();
        } else if (start.magic == nbd::simple_reply_magic) {
            answer.error = static_cast<nbd::WireError>(std::uint32_t{start.error});
        } else {
            co_await fail(Kind::corrupt, "no reply");
        }
        answer.data.resize(length);
        co_await input_.receive(answer.data);
        if (answer.type == nbd::Chunk::error)
            answer.error = static_cast<nbd::WireError>(std::uint32_t{load<Number32>(answer.data)});
        co_return answer;
    }

  private:
    io::Task<void> need(std::size_t length) {
        const auto there = co_await input_.fill(length);
        if (!there) co_await fail(Kind::unavailable, "the server has closed the connection");
    }

    io::Loop& loop_;
    Fd socket_;
    nbd::Input input_;
};

inline NbdClient::Ask asking(nbd::Command command, std::uint64_t offset, std::uint32_t length,
                             std::uint64_t cookie = 1, std::uint16_t flags = 0) {
    return {
        .command = command, .flags = flags, .cookie = cookie, .offset = offset, .length = length};
}

}  // namespace sheaf::test
