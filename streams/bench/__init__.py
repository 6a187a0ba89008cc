"""The frame transport measured against its peers, on a real Kafka: `kdsl bench stream`.

Reading order: plan, labelling, meter, worker, peers (what is measured); outside, load, rows, site,
runner, kill, latency (how); results, report, tables (what is said of it).
"""
