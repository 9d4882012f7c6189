// What is etcd's own: members that die, freeze or are nobody, and answers that are lost.

#include <limits>
#include <set>

#include "fake_server.h"
#include "store/etcd_kv.h"
#include "world.h"

namespace sheaf::kv {
namespace {

class OverEtcd : public testing::Test {
  protected:
    void SetUp() override {
        if (!test::EtcdCluster::is_installed()) GTEST_SKIP() << "needs etcd (Debian's etcd-server)";
        writer_ = client();
        watcher_ = client();
        start_ = io::run(loop(), writer_->list({.prefix = "/x", .after = ""})).value().revision;
    }
    test::EtcdCluster& cluster() { return SharedCluster::get(); }
    // Sooner out of patience than others, so that tests of members that freeze do not take long.
    std::unique_ptr<Kv> client(std::chrono::seconds silence_limit = std::chrono::seconds{1}) {
        EtcdOptions options;
        for (std::size_t member = 0; member < test::EtcdCluster::members; ++member)
            options.urls.push_back(http::parse_url(cluster().url(member)).value());
        options.tls = cluster().client();
        options.connect_limit = std::chrono::seconds{1};
        options.answer_limit = std::chrono::seconds{2};
        options.silence_limit = silence_limit;
        auto kv = EtcdKv::create(loop(), std::move(options)).value();
        return io::run(loop(), answered(loop(), std::move(kv))).value();
    }

    io::Loop& loop() { return *loop_; }
    Kv& writer() { return *writer_; }
    Kv& watcher() { return *watcher_; }
    Revision start() const { return start_; }

    std::string prefix_ = fmt::format("/etcd-{}/", ++tests_);

  private:
    static inline int tests_ = 0;
    std::unique_ptr<io::Loop> loop_ = io::make_loop().value();
    std::unique_ptr<Kv> writer_;
    std::unique_ptr<Kv> watcher_;
    Revision start_ = 0;
};

// Puts 1, 2, ... under one key, each on condition that the one before is there. Where it is not
// known what became of one it looks, and so each is put once.
io::Task<void> count_up(io::Loop& loop, Kv& kv, std::string key, const int& last) {
    while (true) {
        const auto found = co_await kv.get(key).result();
        if (!found) {
            co_await loop.sleep(std::chrono::milliseconds{20});
            continue;
        }
        const auto next = *found ? std::stoi((*found)->value) + 1 : 1;
        if (next > last) co_return;
        Transaction put;
        put.conditions.push_back({key, *found ? (*found)->modified : 0});
        put.writes.push_back({key, std::to_string(next), 0});
        // Of a failure the next look tells.
        static_cast<void>(co_await kv.commit(std::move(put)).result());
    }
}

// As whoever has to keep up: again after what is not for ever.
io::Task<void> follow(io::Loop& loop, Watch& watch, const int& last, std::vector<int>& seen) {
    while (seen.empty() || seen.back() < last) {
        auto found = co_await watch.next().result();
        if (!found) {
            const auto kind = found.error().kind();
            if (kind != Kind::unavailable && kind != Kind::timed_out) co_await std::move(found);
            co_await loop.sleep(std::chrono::milliseconds{20});
            continue;
        }
        for (const auto& change : *found)
            seen.push_back(change.now->value.empty() ? 0 : std::stoi(change.now->value));
    }
}

io::Task<void> count_and_follow(io::Loop& loop, Kv& writer, Watch& watch, std::string key, int last,
                                std::vector<int>& seen) {
    io::TaskGroup group;
    group.start(count_up(loop, writer, key, last));
    group.start(follow(loop, watch, last, seen));
    co_await group.join();
}

std::vector<int> numbers(int last) {
    std::vector<int> all;
    for (int number = 1; number <= last; ++number) all.push_back(number);
    return all;
}

// Each member once; then a little more is counted.
io::Task<void> kill_in_turn(io::Loop& loop, test::EtcdCluster& cluster,
                            const std::vector<int>& seen, int& last) {
    for (std::size_t member = 0; member < test::EtcdCluster::members; ++member) {
        const auto before = seen.size();
        cluster.kill(member);
        co_await loop.sleep(std::chrono::milliseconds{700});
        cluster.start(member);
        while (seen.size() < before + 20) co_await loop.sleep(std::chrono::milliseconds{50});
        co_await loop.sleep(std::chrono::milliseconds{1500});
    }
    last = seen.back() + 50;
}

io::Task<void> all_while_members_die(io::Loop& loop, test::EtcdCluster& cluster, Kv& writer,
                                     Watch& watch, std::string key, std::vector<int>& seen) {
    auto last = std::numeric_limits<int>::max();
    io::TaskGroup group;
    group.start(count_up(loop, writer, key, last));
    group.start(follow(loop, watch, last, seen));
    group.start(kill_in_turn(loop, cluster, seen, last));
    co_await group.join();
}

TEST_F(OverEtcd, AWatchSeesEachChangeOnceInOrderWhileMembersAreKilled) {
    const auto watch = watcher().watch(prefix_, start());
    std::vector<int> seen;
    auto all = all_while_members_die(loop(), cluster(), writer(), *watch, prefix_ + "n", seen);
    const auto done =
        io::run(loop(), io::within(loop(), std::chrono::seconds{150}, std::move(all)));
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_GT(seen.size(), 100u);
    EXPECT_EQ(seen, numbers(static_cast<int>(seen.size())));
}

TEST_F(OverEtcd, AMemberThatFreezesIsLeftForAnother) {
    const auto watch = watcher().watch(prefix_, start());
    std::vector<int> seen;
    auto before = count_and_follow(loop(), writer(), *watch, prefix_ + "n", 5, seen);
    ASSERT_TRUE(io::run(loop(), std::move(before)));
    // Whichever the two are at.
    for (std::size_t member = 0; member < test::EtcdCluster::members; ++member) {
        cluster().freeze(member);
        const auto last = static_cast<int>(10 + 5 * member);
        auto more = count_and_follow(loop(), writer(), *watch, prefix_ + "n", last, seen);
        const auto done =
            io::run(loop(), io::within(loop(), std::chrono::seconds{80}, std::move(more)));
        cluster().thaw(member);
        ASSERT_TRUE(done) << done.error().text();
        EXPECT_EQ(seen, numbers(last));
    }
}

TEST_F(OverEtcd, WithoutAMajorityEverythingIsUnavailableAndGoesOnAfterwards) {
    // Told by the member that is left, not found out by asking it.
    const auto patient = client(std::chrono::seconds{600});
    const auto watch = patient->watch(prefix_, start());
    std::vector<int> seen;
    auto before = count_and_follow(loop(), writer(), *watch, prefix_ + "n", 5, seen);
    ASSERT_TRUE(io::run(loop(), std::move(before)));
    cluster().kill(0);
    cluster().kill(1);
    auto waited = io::within(loop(), std::chrono::seconds{30}, watch->next());
    const auto none = io::run(loop(), std::move(waited));
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().kind(), Kind::unavailable) << none.error().text();
    Transaction put;
    put.writes.push_back({prefix_ + "other", "", 0});
    const auto unknown = io::run(loop(), writer().commit(put));
    ASSERT_FALSE(unknown);
    EXPECT_TRUE(unknown.error().kind() == Kind::unavailable ||
                unknown.error().kind() == Kind::timed_out)
        << unknown.error().text();
    cluster().start(0);
    cluster().start(1);
    auto after = count_and_follow(loop(), writer(), *watch, prefix_ + "n", 20, seen);
    const auto done =
        io::run(loop(), io::within(loop(), std::chrono::seconds{80}, std::move(after)));
    // Whether the put was done is open; it is seen where it was.
    std::erase(seen, 0);
    ASSERT_TRUE(done) << done.error().text();
    EXPECT_EQ(seen, numbers(20));
}

TEST_F(OverEtcd, AWrongAuthorityAndAMissingCertificateAreRefused) {
    const ScratchFolder folder;
    const test::Certificates others{folder.path()};
    auto stranger = cluster().client();
    stranger.authority = others.authority();
    const auto ask = [&](const io::TlsFiles& files) {
        auto kv = io::run(loop(), open_store(loop(), {cluster().location(), files})).value();
        const auto answer = io::run(loop(), kv->get("a"));
        EXPECT_FALSE(answer);
        return answer ? Error{Kind::io, ""} : answer.error();
    };
    const auto wrong = ask(stranger);
    EXPECT_EQ(wrong.kind(), Kind::denied) << wrong.text();
    EXPECT_NE(wrong.text().find("its certificate: "), std::string::npos) << wrong.text();
    EXPECT_NE(wrong.text().find("https://127.0.0.1:"), std::string::npos) << wrong.text();
    auto nobody = cluster().client();
    nobody.certificate.clear();
    EXPECT_EQ(ask(nobody).kind(), Kind::denied) << ask(nobody).text();
    auto impostor = others.make("impostor");
    impostor.authority = cluster().client().authority;
    EXPECT_EQ(ask(impostor).kind(), Kind::denied) << ask(impostor).text();
}

// Servers that are no etcd, or one whose answers get lost.
class FakeEtcd : public testing::Test {
  protected:
    io::Loop& loop() { return *loop_; }
    void SetUp() override { group_.start(server_.serve()); }
    void TearDown() override {
        group_.cancel();
        EXPECT_TRUE(io::run(loop(), end(group_)));
    }
    test::FakeServer& server() { return server_; }
    std::unique_ptr<Kv> open(const std::string& urls) {
        return io::run(loop(), open_store(loop(), {"etcd:" + urls, {}})).value();
    }
    Error failure_of_get(std::string answer) {
        server_.set_answer(std::move(answer));
        const auto found = io::run(loop(), open(server_.url())->get("a"));
        EXPECT_FALSE(found);
        return found ? Error{Kind::io, ""} : found.error();
    }

  private:
    static io::Task<void> end(io::TaskGroup& group) { co_await group.join(); }
    std::unique_ptr<io::Loop> loop_ = io::make_loop().value();
    test::FakeServer server_{*loop_};
    io::TaskGroup group_;
};

TEST_F(FakeEtcd, ATransactionWhoseAnswerIsLostIsNotMadeAgain) {
    server().set_answer("");  // reads the request and closes
    const auto kv = open(server().url() + "," + server().url());
    Transaction put;
    put.writes.push_back({"a", "1", 0});
    const auto lost = io::run(loop(), kv->commit(put));
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().kind(), Kind::unavailable) << lost.error().text();
    EXPECT_EQ(server().requests(), 1u);
    // Reading may be.
    EXPECT_FALSE(io::run(loop(), kv->get("a")));
    EXPECT_EQ(server().requests(), 4u);
}

TEST_F(FakeEtcd, AGarbageAnswerIsCorruptAndSaysWhose) {
    const std::pair<const char*, const char*> answers[] = {
        {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "it is no HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "no JSON"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "an array instead of an object"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{\"kvs\":12}", "\"kvs\" is not what"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{\"kvs\":[{}]}", "without key"},
    };
    for (const auto& [answer, reason] : answers) {
        const auto error = failure_of_get(answer);
        EXPECT_EQ(error.kind(), Kind::corrupt) << error.text();
        EXPECT_NE(error.text().find(reason), std::string::npos) << error.text();
    }
    const auto other = failure_of_get("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
    EXPECT_EQ(other.kind(), Kind::unsupported);
    EXPECT_NE(other.text().find(server().url()), std::string::npos) << other.text();
}

TEST_F(FakeEtcd, AHugeAnswerIsNotTakenIn) {
    auto answer = std::string{"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"};
    answer.append(EtcdMembers::largest_answer + 100'000, 'x');
    const auto error = failure_of_get(std::move(answer));
    EXPECT_EQ(error.kind(), Kind::exhausted) << error.text();
}

TEST_F(FakeEtcd, AnAnswerWithoutEndIsNotWaitedFor) {
    server().set_answer("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{");
    server().hold();
    EtcdOptions options;
    options.urls = {http::parse_url(server().url()).value()};
    options.answer_limit = std::chrono::milliseconds{50};
    const auto kv = EtcdKv::create(loop(), options).value();
    const auto error = io::run(loop(), kv->get("a")).error();
    EXPECT_EQ(error.kind(), Kind::timed_out) << error.text();
    EXPECT_NE(error.text().find(server().url()), std::string::npos) << error.text();
}

TEST_F(FakeEtcd, AWatchThatGoesBackIsCorrupt) {
    const auto line = [](int revision) {
        return fmt::format(
            "{{\"result\":{{\"header\":{{\"cluster_id\":\"1\"}},\"events\":[{{\"kv\":"
            "{{\"key\":\"YQ==\",\"mod_revision\":\"{}\"}}}}]}}}}\n",
            revision);
    };
    const auto body = line(7) + line(5);
    server().set_answer(
        fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
    const auto kv = open(server().url());
    const auto watch = kv->watch("a", 4);
    EXPECT_EQ(io::run(loop(), watch->next()).value().at(0).revision, 7u);
    EXPECT_EQ(watch->position(), 7u);
    EXPECT_EQ(io::run(loop(), watch->next()).error().kind(), Kind::corrupt);
}

TEST_F(FakeEtcd, ThePartsOfARevisionAreToldTogether) {
    const auto line = [](const char* fragment, int revision, const char* key) {
        return fmt::format(
            "{{\"result\":{{{}\"events\":[{{\"kv\":{{\"key\":\"{}\","
            "\"mod_revision\":\"{}\"}}}}]}}}}\n",
            fragment, key, revision);
    };
    constexpr auto part = "\"fragment\":true,";
    const auto body =
        line(part, 7, "YQ==") + line(part, 8, "YQ==") + line(part, 8, "YWI=") + line("", 8, "YWM=");
    server().set_answer(
        fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
    const auto kv = open(server().url());
    const auto watch = kv->watch("a", 4);
    EXPECT_EQ(io::run(loop(), watch->next()).value().size(), 1u);
    EXPECT_EQ(watch->position(), 7u);
    EXPECT_EQ(io::run(loop(), watch->next()).value().size(), 3u);
    EXPECT_EQ(watch->position(), 8u);
}

TEST_F(FakeEtcd, AnswersOfTwoClustersAreNotTakenForOne) {
    const auto answer = [](const char* cluster) {
        const auto body =
            fmt::format("{{\"header\":{{\"cluster_id\":\"{}\",\"revision\":\"1\"}}}}", cluster);
        return fmt::format("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
    };
    server().set_answer(answer("1"));
    const auto kv = open(server().url());
    EXPECT_TRUE(io::run(loop(), kv->get("a")));
    server().set_answer(answer("2"));
    EXPECT_EQ(io::run(loop(), kv->get("a")).error().kind(), Kind::corrupt);
}

TEST_F(FakeEtcd, WhereNobodyListensItSaysSo) {
    const auto error = io::run(loop(), open("http://127.0.0.1:1")->get("a")).error();
    EXPECT_EQ(error.kind(), Kind::unavailable) << error.text();
    EXPECT_NE(error.text().find("http://127.0.0.1:1"), std::string::npos) << error.text();
}

}  // namespace
}  // namespace sheaf::kv
