#include "store/kv.h"

#include "world.h"

namespace sheaf::kv {
namespace {

using Names = std::vector<std::string>;

const auto* const cluster_of_all = testing::AddGlobalTestEnvironment(new SharedCluster);

INSTANTIATE_TEST_SUITE_P(Stores, OverStores,
                         testing::Values(StoreKind::simulated, StoreKind::sqlite, StoreKind::etcd),
                         [](const auto& info) { return to_string(info.param); });

TEST_P(OverStores, ARecordKnowsWhenItWasMadeAndChanged) {
    EXPECT_FALSE(get(kv().get(key("a"))));
    const auto made = put("a", "one");
    EXPECT_EQ(get(kv().get(key("a"))), (Record{key("a"), "one", made, made, 0}));
    const auto changed = put("a", "two");
    EXPECT_EQ(changed, made + 1);
    EXPECT_EQ(get(other().get(key("a"))), (Record{key("a"), "two", made, changed, 0}));
    EXPECT_EQ(remove("a"), changed + 1);
    EXPECT_FALSE(get(kv().get(key("a"))));
    const auto anew = put("a", "three");
    EXPECT_EQ(get(kv().get(key("a"))), (Record{key("a"), "three", anew, anew, 0}));
}

TEST_P(OverStores, KeysAndValuesAreAnyBytes) {
    const auto strange = std::string{"\0\xff\xfe\n\"/\x01", 7};
    put(strange, strange);
    put("empty", "");
    EXPECT_EQ(get(kv().get(key(strange)))->value, strange);
    EXPECT_EQ(get(kv().get(key("empty")))->value, "");
    EXPECT_EQ(names(get(kv().list({.prefix = prefix_, .after = ""}))), (Names{strange, "empty"}));
}

TEST_P(OverStores, AListIsOfOnePrefixInTheOrderOfKeys) {
    for (const auto* name : {"b/2", "b/1", "b/\xff", "a", "b", "c", "b/10"}) put(name, "");
    EXPECT_EQ(names(get(kv().list({.prefix = key("b/"), .after = ""}))),
              (Names{"b/1", "b/10", "b/2", "b/\xff"}));
    EXPECT_EQ(names(get(kv().list({.prefix = key("b/\xff"), .after = ""}))), (Names{"b/\xff"}));
    EXPECT_EQ(names(get(kv().list({.prefix = key("nothing"), .after = ""}))), (Names{}));
    EXPECT_GE(get(kv().list({.prefix = "", .after = ""})).records.size(), 7u);
}

TEST_P(OverStores, PagesAreOfOneRevisionWhateverIsWrittenMeanwhile) {
    for (const auto* name : {"a", "b", "c", "d", "e"}) put(name, "old");
    const auto first = get(kv().list({.prefix = prefix_, .after = "", .limit = 2}));
    EXPECT_EQ(names(first), (Names{"a", "b"}));
    EXPECT_TRUE(first.more);
    put("bb", "new");
    remove("c");
    put("d", "new");
    const auto second =
        get(kv().list({.prefix = prefix_, .after = key("b"), .limit = 3, .at = first.revision}));
    EXPECT_EQ(names(second), (Names{"c", "d", "e"}));
    EXPECT_EQ(second.records.at(1).value, "old");
    EXPECT_EQ(second.revision, first.revision);
    EXPECT_FALSE(second.more);
    EXPECT_EQ(names(get(kv().list({.prefix = prefix_, .after = ""}))),
              (Names{"a", "b", "bb", "d", "e"}));
}

TEST_P(OverStores, LargeRecordsComeInSmallerPages) {
    constexpr int count = 26;  // which are more than any answer may have
    for (int i = 0; i < count; ++i) put(fmt::format("{:02}", i), std::string(1'000'000, 'v'));
    ListRequest request{.prefix = prefix_, .after = ""};
    std::size_t found = 0;
    for (auto more = true; more;) {
        const auto page = get(kv().list(request));
        ASSERT_FALSE(page.records.empty());
        found += page.records.size();
        request.after = page.records.back().key;
        request.at = page.revision;
        more = page.more;
    }
    EXPECT_EQ(found, std::size_t{count});
}

TEST_P(OverStores, WhatIsCompactedIsGoneAndSaysSo) {
    const auto old = put("a", "one");
    put("b", "kept");
    remove("a");
    const auto compacted = put("a", "two");
    get(kv().compact(compacted));
    EXPECT_EQ(failure(kv().list({.prefix = prefix_, .after = "", .at = old})), Kind::not_found);
    EXPECT_EQ(names(get(kv().list({.prefix = prefix_, .after = "", .at = compacted}))),
              (Names{"a", "b"}));
    EXPECT_EQ(get(kv().get(key("a")))->value, "two");
    EXPECT_EQ(get(kv().get(key("b")))->value, "kept");
    get(kv().compact(compacted));
    get(kv().compact(old));
    EXPECT_EQ(failure(kv().compact(compacted + 10)), Kind::invalid);
}

TEST_P(OverStores, ARevisionThatIsYetToComeIsInvalid) {
    const auto newest = put("a", "");
    const ListRequest request{.prefix = prefix_, .after = "", .at = newest + 1};
    EXPECT_EQ(failure(kv().list(request)), Kind::invalid);
}

TEST_P(OverStores, ATransactionHappensWhereAllItsConditionsHold) {
    const auto a = put("a", "1");
    Transaction swap;
    swap.conditions = {{key("a"), a}, {key("b"), 0}};
    swap.writes = {{key("a"), std::nullopt, 0}, {key("b"), "2", 0}};
    const auto revision = get(kv().commit(swap));
    EXPECT_EQ(revision, a + 1);
    EXPECT_FALSE(get(kv().get(key("a"))));
    EXPECT_EQ(get(kv().get(key("b"))), (Record{key("b"), "2", revision, revision, 0}));
}

TEST_P(OverStores, ATransactionWithOneConditionThatDoesNotHoldDoesNothing) {
    const auto a = put("a", "1");
    const auto b = put("b", "1");
    Transaction swap;
    swap.conditions = {{key("a"), a}, {key("b"), a}};
    swap.writes = {{key("a"), "2", 0}, {key("c"), "2", 0}};
    const auto failed = run(kv().commit(swap));
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().kind(), Kind::conflict);
    EXPECT_NE(failed.error().text().find(key("b")), std::string::npos) << failed.error().text();
    EXPECT_EQ(get(kv().get(key("a")))->value, "1");
    EXPECT_FALSE(get(kv().get(key("c"))));
    EXPECT_EQ(now(), b);
    swap.conditions = {{key("a"), 0}};
    EXPECT_EQ(failure(kv().commit(swap)), Kind::conflict);
    swap.conditions = {{key("c"), a}};
    EXPECT_EQ(failure(kv().commit(swap)), Kind::conflict);
}

TEST_P(OverStores, WhatChangesNothingHasNoRevision) {
    const auto a = put("a", "1");
    Transaction check;
    check.conditions = {{key("a"), a}};
    EXPECT_EQ(get(kv().commit(check)), a);
    EXPECT_EQ(remove("nothing"), a);
    EXPECT_EQ(put("a", "1"), a + 1);  // a put of the same is a change
}

TEST_P(OverStores, ContendersForOneKeyWinOnceEach) {
    struct Contender {
        static io::Task<void> increment(Kv& kv, std::string key) {
            while (true) {
                const auto found = co_await kv.get(key);
                Transaction swap;
                swap.conditions.push_back({key, found ? found->modified : 0});
                const auto next = found ? std::stoi(found->value) + 1 : 1;
                swap.writes.push_back({key, std::to_string(next), 0});
                const auto committed = co_await kv.commit(std::move(swap)).result();
                if (committed) co_return;
                EXPECT_EQ(committed.error().kind(), Kind::conflict);
            }
        }
        static io::Task<void> all(Kv& one, Kv& another, std::string key) {
            io::TaskGroup group;
            for (int i = 0; i < 8; ++i) {
                group.start(increment(one, key));
                group.start(increment(another, key));
            }
            co_await group.join();
        }
    };
    get(Contender::all(kv(), other(), key("count")));
    EXPECT_EQ(get(kv().get(key("count")))->value, "16");
}

TEST_P(OverStores, WhatIsTooLargeOrMeaninglessIsRefusedAndDoesNothing) {
    const auto before = put("a", "");
    const auto refused = [&](Transaction transaction) {
        EXPECT_EQ(failure(kv().commit(std::move(transaction))), Kind::invalid);
    };
    const auto long_key = std::string(longest_key + 1, 'k');
    refused({.conditions = {}, .writes = {{"", "", 0}}});
    refused({.conditions = {}, .writes = {{long_key, "", 0}}});
    refused({.conditions = {{long_key, 0}}, .writes = {}});
    refused({.conditions = {}, .writes = {{key("a"), std::string(longest_value + 1, 'v'), 0}}});
    refused({.conditions = {}, .writes = {{key("a"), "1", 0}, {key("a"), std::nullopt, 0}}});
    refused({.conditions = {}, .writes = {{key("a"), std::nullopt, 1}}});
    const auto half = std::string(largest_transaction / 2, 'v');
    refused({.conditions = {}, .writes = {{key("a"), half, 0}, {key("b"), half, 0}}});
    refused({.conditions = std::vector<Condition>(most_conditions + 1, {"k", 0}), .writes = {}});
    EXPECT_EQ(failure(kv().get("")), Kind::invalid);
    EXPECT_EQ(failure(kv().list({.prefix = "", .after = "", .limit = 0})), Kind::invalid);
    EXPECT_EQ(failure(kv().list({.prefix = "", .after = "", .limit = largest_page + 1})),
              Kind::invalid);
    EXPECT_EQ(failure(kv().grant(std::chrono::seconds{0})), Kind::invalid);
    EXPECT_EQ(now(), before);
}

TEST_P(OverStores, TheLargestIsTaken) {
    const auto name = std::string(longest_key - prefix_.size(), 'k');
    const auto value = std::string(longest_value - longest_key, 'v');
    put(name, value);
    EXPECT_EQ(get(kv().get(key(name)))->value, value);
    Transaction wide;
    for (std::size_t i = 0; i < most_writes; ++i) {
        wide.conditions.push_back({key(fmt::format("{:03}", i)), 0});
        wide.writes.push_back({key(fmt::format("{:03}", i)), "", 0});
    }
    get(kv().commit(wide));
    const ListRequest request{.prefix = prefix_, .after = "", .limit = largest_page};
    EXPECT_EQ(get(kv().list(request)).records.size(), most_writes + 1);
}

// What a watch gave, until there were `count` changes.
io::Task<std::vector<Change>> take(Watch& watch, std::size_t count) {
    std::vector<Change> found;
    while (found.size() < count) {
        auto more = co_await watch.next();
        std::ranges::move(more, std::back_inserter(found));
    }
    co_return found;
}

TEST_P(OverStores, AWatchTellsEachChangeOnceInOrder) {
    const auto made = put("a", "1");
    const auto watch = other().watch(prefix_, made);
    const auto changed = put("a", "2");
    const auto removed = remove("a");
    const auto anew = put("b", "3");
    const auto found = get(take(*watch, 3));
    const Record first{key("a"), "1", made, made, 0};
    const Record second{key("a"), "2", made, changed, 0};
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found[0], (Change{key("a"), changed, second, first}));
    EXPECT_EQ(found[1], (Change{key("a"), removed, std::nullopt, second}));
    EXPECT_EQ(found[2],
              (Change{key("b"), anew, Record{key("b"), "3", anew, anew, 0}, std::nullopt}));
    EXPECT_EQ(watch->position(), anew);
    const auto late = put("a", "4");
    EXPECT_EQ(get(take(*watch, 1)).at(0).revision, late);
}

TEST_P(OverStores, AWatchIsOfOnePrefix) {
    const auto before = put("x", "");
    const auto watch = kv().watch(key("in/"), before);
    put("out", "");
    put("in", "");
    put("in/a", "");
    put("in0", "");
    put("in/\xff", "");
    const auto found = get(take(*watch, 2));
    EXPECT_EQ(found.at(0).key, key("in/a"));
    EXPECT_EQ(found.at(1).key, key("in/\xff"));
}

TEST_P(OverStores, ChangesOfOneRevisionAreToldTogether) {
    const auto before = put("x", "");
    const auto watch = kv().watch(prefix_, before);
    Transaction wide;
    constexpr std::size_t width = 100;
    for (std::size_t i = 0; i < width; ++i)
        wide.writes.push_back({key(std::to_string(i)), std::string(4096, 'v'), 0});
    for (int round = 0; round < 5; ++round) get(kv().commit(wide));
    std::size_t told = 0;
    while (told < 5 * width) {
        const auto found = get(watch->next());
        ASSERT_EQ(found.size() % width, 0u);
        for (std::size_t i = 0; i < found.size(); ++i)
            EXPECT_EQ(found[i].revision, before + 1 + (told + i) / width);
        told += found.size();
    }
}

TEST_P(OverStores, AWaitThatIsCancelledLosesNothing) {
    const auto before = put("x", "");
    const auto watch = other().watch(prefix_, before);
    for (int round = 0; round < 5; ++round) {
        const auto limit = std::chrono::milliseconds{2 * round};
        const auto none = run(io::within(loop(), limit, watch->next()));
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().kind(), Kind::timed_out);
    }
    const auto changed = put("x", "1");
    EXPECT_EQ(get(take(*watch, 1)).at(0).revision, changed);
}

io::Task<void> commit_soon(io::Loop& loop, Kv& kv, Transaction transaction) {
    co_await loop.sleep(std::chrono::milliseconds{30});
    co_await kv.commit(std::move(transaction));
}

io::Task<std::vector<Change>> watch_while(io::Loop& loop, Kv& kv, Transaction soon, Watch& watch) {
    io::TaskGroup group;
    group.start(commit_soon(loop, kv, std::move(soon)));
    auto found = co_await take(watch, 1).result();
    co_await group.join();
    co_return co_await std::move(found);
}

TEST_P(OverStores, AWatchThatWaitsIsWokenByAnotherClient) {
    const auto before = put("x", "");
    const auto watch = kv().watch(prefix_, before);
    for (int round = 0; round < 10; ++round) {
        Transaction soon;
        soon.writes.push_back({key("x"), std::to_string(round), 0});
        const auto found = get(watch_while(loop(), other(), std::move(soon), *watch));
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].now->value, std::to_string(round));
    }
}

TEST_P(OverStores, AWatchOfWhatIsCompactedEnds) {
    const auto old = put("a", "1");
    put("a", "2");
    const auto compacted = put("a", "3");
    const auto newest = put("a", "4");
    get(kv().compact(compacted));
    EXPECT_EQ(failure(kv().watch(prefix_, old)->next()), Kind::not_found);
    const auto found = get(take(*kv().watch(prefix_, compacted), 1));
    EXPECT_EQ(found.at(0).revision, newest);
}

TEST_P(OverStores, AWatchMayBeginInTheFuture) {
    const auto before = put("a", "");
    const auto watch = kv().watch(prefix_, before + 2);
    for (const auto* value : {"1", "2", "3"}) put("a", value);
    EXPECT_EQ(get(take(*watch, 1)).at(0).now->value, "3");
}

TEST_P(OverStores, ALeaseThatIsRevokedTakesItsRecordsInOneRevision) {
    const auto lease = get(kv().grant(std::chrono::seconds{600}));
    EXPECT_NE(lease.id, 0u);
    EXPECT_GE(lease.ttl, std::chrono::seconds{600});
    put("a", "1", lease.id);
    put("b", "1", lease.id);
    put("c", "1", lease.id);
    const auto newest = put("c", "2");  // detached
    EXPECT_EQ(get(kv().get(key("a")))->lease, lease.id);
    get(other().renew(lease.id));
    const auto watch = other().watch(prefix_, newest);
    get(other().revoke(lease.id));
    const auto found = get(take(*watch, 2));
    ASSERT_EQ(found.size(), 2u);
    for (const auto& change : found) {
        EXPECT_FALSE(change.now);
        EXPECT_EQ(change.revision, newest + 1);
    }
    EXPECT_EQ(names(get(kv().list({.prefix = prefix_, .after = ""}))), (Names{"c"}));
}

TEST_P(OverStores, ALeaseThatIsGoneIsNotFound) {
    const auto lease = get(kv().grant(std::chrono::seconds{600}));
    get(kv().revoke(lease.id));
    const auto before = put("b", "");
    EXPECT_EQ(failure(kv().renew(lease.id)), Kind::not_found);
    EXPECT_EQ(failure(kv().revoke(lease.id)), Kind::not_found);
    Transaction attach;
    attach.writes = {{key("b"), "1", 0}, {key("a"), "1", lease.id}};
    EXPECT_EQ(failure(kv().commit(attach)), Kind::not_found);
    EXPECT_EQ(now(), before);
    attach.conditions = {{key("b"), 1}};
    EXPECT_EQ(failure(kv().commit(attach)), Kind::conflict);  // which is looked at first
}

// Of two leases one is renewed all the time. Whoever watches sees the other one end, not before
// its time.
io::Task<std::vector<Change>> renew_until_told(io::Loop& loop, Kv& kv, LeaseId lease,
                                               Watch& watch) {
    while (true) {
        co_await kv.renew(lease);
        auto found =
            co_await io::within(loop, std::chrono::milliseconds{300}, watch.next()).result();
        if (found || found.error().kind() != Kind::timed_out) co_return co_await std::move(found);
    }
}

TEST_P(OverStores, ALeaseEndsWhenItIsNotRenewed) {
    const auto start = loop().now();
    const auto left = get(kv().grant(std::chrono::seconds{1}));
    const auto kept = get(kv().grant(std::chrono::seconds{1}));
    put("kept", "", kept.id);
    const auto newest = put("left", "", left.id);
    const auto watch = other().watch(prefix_, newest);
    const auto found = get(renew_until_told(loop(), kv(), kept.id, *watch));
    EXPECT_GE(loop().now() - start, left.ttl);
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].key, key("left"));
    EXPECT_FALSE(found[0].now);
    EXPECT_TRUE(get(kv().get(key("kept"))));
    EXPECT_EQ(failure(kv().renew(left.id)), Kind::not_found);
    get(kv().revoke(kept.id));
}

// Any transactions, held against the simulated store, which is the model of all.
class Model {
  public:
    explicit Model(std::string prefix) : prefix_(std::move(prefix)) {}
    sim::SimStore& store() { return store_; }

    // The transaction draws whether its conditions hold.
    Transaction draw() {
        Transaction transaction;
        for (auto count = random_.below(3); count > 0; --count)
            transaction.conditions.push_back(draw_condition());
        for (auto count = random_.below(4); count > 0; --count) {
            auto name = draw_key();
            const auto is_known = [&](const Write& write) { return write.key == name; };
            if (std::ranges::any_of(transaction.writes, is_known)) continue;
            auto value = std::optional<std::string>{};
            if (random_.chance(0.7)) value = std::to_string(random_.below(1000));
            transaction.writes.push_back({std::move(name), std::move(value), 0});
        }
        return transaction;
    }

  private:
    std::string draw_key() { return prefix_ + std::to_string(random_.below(8)); }
    Condition draw_condition() {
        auto name = draw_key();
        const auto found = store_.get(name);
        const auto modified = found ? found->modified : 0;
        return {std::move(name), random_.chance(0.8) ? modified : random_.below(20)};
    }

    std::string prefix_;
    std::unique_ptr<io::SimLoop> loop_ = io::SimLoop::create(1).value();
    sim::SimStore store_{*loop_};
    io::SimRandom random_{7};
};

// A real store has another first revision: everything of it is moved by so much.
Transaction moved(Transaction transaction, Revision by) {
    for (auto& condition : transaction.conditions)
        if (condition.modified != 0) condition.modified += by;
    return transaction;
}
Record moved(Record record, Revision by) {
    record.created += by;
    record.modified += by;
    return record;
}
Change moved(Change change, Revision by) {
    change.revision += by;
    if (change.now) change.now = moved(*change.now, by);
    if (change.before) change.before = moved(*change.before, by);
    return change;
}

TEST_P(OverStores, AnyTransactionsDoWhatTheModelDoes) {
    Model model{prefix_};
    const auto first = now();
    const auto offset = first - model.store().revision();
    const auto watch = other().watch(prefix_, first);
    for (int round = 0; round < 300; ++round) {
        const auto transaction = model.draw();
        const auto expected = model.store().commit(transaction);
        const auto committed = run(kv().commit(moved(transaction, offset)));
        ASSERT_EQ(committed.has_value(), expected.has_value()) << round;
        if (committed) EXPECT_EQ(*committed, *expected + offset);
        if (!committed) EXPECT_EQ(committed.error().kind(), Kind::conflict);
    }
    auto changes =
        model.store().changes(prefix_, model.store().revision() - (now() - first)).value();
    for (auto& change : changes) change = moved(std::move(change), offset);
    EXPECT_GT(changes.size(), 100u);
    EXPECT_EQ(get(take(*watch, changes.size())), changes);
    for (const auto at : {first + 50, first + 100, now()}) {
        auto page = model.store().list({.prefix = prefix_, .after = "", .at = at - offset}).value();
        for (auto& record : page.records) record = moved(std::move(record), offset);
        EXPECT_EQ(get(kv().list({.prefix = prefix_, .after = "", .at = at})).records, page.records);
    }
}

}  // namespace
}  // namespace sheaf::kv
