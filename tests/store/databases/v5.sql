PRAGMA application_id = 1667787874;
PRAGMA user_version = 5;
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0005');
CREATE TABLE attempts (
	run_id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	n BIGINT NOT NULL, 
	reason TEXT NOT NULL, 
	status TEXT NOT NULL, 
	process_id TEXT NOT NULL, 
	backend TEXT, 
	model TEXT, 
	base TEXT, 
	adapter TEXT, 
	adapter_hash BLOB, 
	request_hash BLOB, 
	response_hash BLOB, 
	http_status BIGINT, 
	error_code TEXT, 
	error_message TEXT, 
	finish_reason TEXT, 
	served_model TEXT, 
	started_at BIGINT NOT NULL, 
	duration_us BIGINT, 
	ttft_us BIGINT, 
	tokens_in BIGINT, 
	tokens_out BIGINT, 
	cost_nano BIGINT, tokens_cached BIGINT, gauges TEXT, request_text TEXT, response_text TEXT, 
	CONSTRAINT attempts_pkey PRIMARY KEY (run_id, path, n)
)
 WITHOUT ROWID

;
INSERT INTO "attempts" VALUES('06h0gxrjzeg6g73yvhtf','draft',1,'first','ok','06h24g9e67ft0hg0rwxg','local','smol','smol-base',NULL,NULL,X'5A81501C959B9FD0E08CBAAADAC8167AD2C2B627',X'6A209E7DD559B9D0E4B9C4869F123440D35EB111',NULL,NULL,NULL,NULL,NULL,1795871026742611,800,NULL,7,3,NULL,NULL,NULL,'{"messages":[{"role":"system","segments":["You are brief. ",{"p":"7f60474d4669f6130df1a0cdf9109bdcb9698a9c"}]},{"role":"user","segments":["Summarise: ",{"p":"edc959f31199e2c9153ac165ed282864acad68aa","at":[],"v":"text"},"\nAbout ",{"t":"dogs","v":"topic"},""]}],"parameters":{"temperature":0.2}}','{"text":"reply","raw":{"id":1}}');
CREATE TABLE batches (
	id TEXT NOT NULL, 
	project TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	chain TEXT NOT NULL, 
	edits_hash BLOB NOT NULL, 
	plan_hash BLOB NOT NULL, 
	idempotency_key TEXT, 
	status TEXT NOT NULL, 
	total BIGINT NOT NULL, 
	done BIGINT DEFAULT '0' NOT NULL, 
	summary TEXT, 
	created_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	process_id TEXT NOT NULL, 
	change BIGINT NOT NULL, 
	CONSTRAINT batches_pkey PRIMARY KEY (id)
)
 WITHOUT ROWID

;
CREATE TABLE payloads (
	hash BLOB NOT NULL, 
	codec TEXT NOT NULL, 
	size BIGINT NOT NULL, 
	body BLOB NOT NULL, 
	CONSTRAINT payloads_pkey PRIMARY KEY (hash)
);
INSERT INTO "payloads" VALUES(X'EF277BB7A0FB444A896EEB186AC759F7F8129241','json',38,X'7B22666F726D6174223A22636861696E6C61622D31222C226E616D65223A226272696566227D');
INSERT INTO "payloads" VALUES(X'EDC959F31199E2C9153AC165ED282864ACAD68AA','json',236,X'22416C6C2068617070792066616D696C6965732061726520616C696B653B20657665727920756E68617070792066616D696C7920697320756E686170707920696E20697473206F776E207761792E20416C6C2068617070792066616D696C6965732061726520616C696B653B20657665727920756E68617070792066616D696C7920697320756E686170707920696E20697473206F776E207761792E20416C6C2068617070792066616D696C6965732061726520616C696B653B20657665727920756E68617070792066616D696C7920697320756E686170707920696E20697473206F776E207761792E2022');
INSERT INTO "payloads" VALUES(X'7F60474D4669F6130DF1A0CDF9109BDCB9698A9C','json',111,X'22577269746520696E2074686520706C61696E207374796C65206F66206120706572736F6E2077686F206861732072656164206D75636820616E642077697368657320746F20626520756E64657273746F6F64206279206576657279626F647920617420746865207461626C652E22');
CREATE TABLE processes (
	id TEXT NOT NULL, 
	host TEXT NOT NULL, 
	boot_id TEXT NOT NULL, 
	pid BIGINT NOT NULL, 
	pid_started BIGINT NOT NULL, 
	version TEXT NOT NULL, 
	started_at BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, 
	ended_at BIGINT, 
	CONSTRAINT processes_pkey PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "processes" VALUES('06h24g9e67ft0hg0rwxg','elsewhere','b',1,1,'0.1.0',1795871026737390,1795871026751099,1795871026751099);
CREATE TABLE results (
	"key" BLOB NOT NULL, 
	run_id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	created_at BIGINT NOT NULL, 
	CONSTRAINT results_pkey PRIMARY KEY ("key")
)
 WITHOUT ROWID

;
CREATE TABLE run_tags (
	run_id TEXT NOT NULL, 
	tag TEXT NOT NULL, 
	CONSTRAINT run_tags_pkey PRIMARY KEY (run_id, tag)
)
 WITHOUT ROWID

;
INSERT INTO "run_tags" VALUES('06h0gxrjzeg6g73yvhtf','nightly');
CREATE TABLE runs (
	id TEXT NOT NULL, 
	project TEXT NOT NULL, 
	chain TEXT NOT NULL, 
	spec_hash BLOB NOT NULL, 
	status TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	label TEXT, 
	parent_run_id TEXT, 
	root_run_id TEXT NOT NULL, 
	batch_id TEXT, 
	batch_key TEXT DEFAULT '' NOT NULL, 
	arm TEXT DEFAULT '' NOT NULL, 
	sample BIGINT DEFAULT '0' NOT NULL, 
	edits_hash BLOB, 
	idempotency_key TEXT, 
	inputs_hash BLOB NOT NULL, 
	output_hash BLOB, 
	output_text TEXT, 
	error_code TEXT, 
	error_message TEXT, 
	error_path TEXT, 
	started_at BIGINT NOT NULL, 
	finished_at BIGINT, 
	duration_us BIGINT, 
	steps_total BIGINT DEFAULT '0' NOT NULL, 
	steps_ok BIGINT DEFAULT '0' NOT NULL, 
	steps_failed BIGINT DEFAULT '0' NOT NULL, 
	steps_skipped BIGINT DEFAULT '0' NOT NULL, 
	steps_reused BIGINT DEFAULT '0' NOT NULL, 
	tokens_in BIGINT DEFAULT '0' NOT NULL, 
	tokens_out BIGINT DEFAULT '0' NOT NULL, 
	cost_nano BIGINT, 
	trace_lost BIGINT DEFAULT '0' NOT NULL, 
	kept_at BIGINT, 
	process_id TEXT, 
	source TEXT DEFAULT 'chainlab' NOT NULL, 
	change BIGINT NOT NULL, 
	CONSTRAINT runs_pkey PRIMARY KEY (id)
)
 WITHOUT ROWID

;
INSERT INTO "runs" VALUES('06h0gxrjzeg6g73yvhtf','','brief',X'7373737373737373737373737373737373737373','ok','run',NULL,NULL,'06h0gxrjzeg6g73yvhtf',NULL,'','',0,NULL,NULL,X'6327EC2537082F401CAD0685E30CDDD26FF1696E',X'7A1452970E115D231BC8C28C210AA52FDCC015C3','"done"',NULL,NULL,NULL,1795871026742572,1795871026742797,1500,1,0,0,0,0,0,0,NULL,0,NULL,'06h24g9e67ft0hg0rwxg','chainlab',1);
CREATE TABLE specs (
	hash BLOB NOT NULL, 
	project TEXT NOT NULL, 
	chain TEXT NOT NULL, 
	payload_hash BLOB NOT NULL, 
	first_seen_at BIGINT NOT NULL, 
	CONSTRAINT specs_pkey PRIMARY KEY (hash)
)
 WITHOUT ROWID

;
INSERT INTO "specs" VALUES(X'7373737373737373737373737373737373737373','','brief',X'EF277BB7A0FB444A896EEB186AC759F7F8129241',1795871026742572);
CREATE TABLE step_inputs (
	run_id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	name TEXT NOT NULL, 
	hash BLOB NOT NULL, 
	value_text TEXT, 
	from_path TEXT, 
	from_field TEXT, 
	CONSTRAINT step_inputs_pkey PRIMARY KEY (run_id, path, name)
)
 WITHOUT ROWID

;
INSERT INTO "step_inputs" VALUES('06h0gxrjzeg6g73yvhtf','$input','text',X'EDC959F31199E2C9153AC165ED282864ACAD68AA',NULL,NULL,NULL);
INSERT INTO "step_inputs" VALUES('06h0gxrjzeg6g73yvhtf','draft','text',X'EDC959F31199E2C9153AC165ED282864ACAD68AA',NULL,'$input','.text');
CREATE TABLE steps (
	run_id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	step TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	sort TEXT NOT NULL, 
	status TEXT NOT NULL, 
	model TEXT, 
	backend TEXT, 
	adapter TEXT, 
	reuse_key BLOB, 
	output_hash BLOB, 
	output_text TEXT, 
	origin_run_id TEXT, 
	origin_path TEXT, 
	cause_path TEXT, 
	error_code TEXT, 
	error_message TEXT, 
	attempts BIGINT DEFAULT '0' NOT NULL, 
	started_at BIGINT, 
	finished_at BIGINT, 
	duration_us BIGINT, 
	queue_us BIGINT, 
	ttft_us BIGINT, 
	tokens_in BIGINT, 
	tokens_out BIGINT, 
	cost_nano BIGINT, 
	change BIGINT NOT NULL, 
	CONSTRAINT steps_pkey PRIMARY KEY (run_id, path)
)
 WITHOUT ROWID

;
INSERT INTO "steps" VALUES('06h0gxrjzeg6g73yvhtf','draft','draft','prompt','draft','ok','small','local',NULL,X'6B6B6B6B6B6B6B6B6B6B6B6B6B6B6B6B6B6B6B6B',X'EDC959F31199E2C9153AC165ED282864ACAD68AA',NULL,NULL,NULL,NULL,NULL,NULL,1,1795871026742594,1795871026742777,900,NULL,NULL,NULL,NULL,NULL,2);
INSERT INTO "steps" VALUES('06h0gxrjzeg6g73yvhtf','publish','publish','code','publish','skipped',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'draft',NULL,NULL,0,NULL,1795871026742789,NULL,NULL,NULL,NULL,NULL,NULL,3);
CREATE TABLE store (
	id TEXT NOT NULL, 
	epoch BIGINT NOT NULL, 
	change BIGINT NOT NULL, 
	CONSTRAINT store_pkey PRIMARY KEY (id)
);
INSERT INTO "store" VALUES('06h24g9e18ydd65wz1yr',1,3);
CREATE TABLE tombstones (
	change BIGINT NOT NULL, 
	kind TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	CONSTRAINT tombstones_pkey PRIMARY KEY (change)
)
 WITHOUT ROWID

;
CREATE INDEX specs_chain ON specs (project, chain, first_seen_at);
CREATE INDEX runs_project_started ON runs (project, started_at, id);
CREATE UNIQUE INDEX runs_batch ON runs (batch_id, batch_key, arm, sample) WHERE batch_id IS NOT NULL;
CREATE INDEX runs_root ON runs (root_run_id);
CREATE INDEX runs_chain_started ON runs (project, chain, started_at);
CREATE UNIQUE INDEX runs_idempotency ON runs (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX runs_started ON runs (started_at, id);
CREATE INDEX runs_failed ON runs (project, started_at) WHERE status = 'failed';
CREATE INDEX runs_change ON runs (change);
CREATE INDEX runs_live ON runs (process_id) WHERE status IN ('queued', 'running');
CREATE INDEX runs_parent ON runs (parent_run_id) WHERE parent_run_id IS NOT NULL;
CREATE INDEX run_tags_tag ON run_tags (tag, run_id);
CREATE INDEX steps_change ON steps (change);
CREATE INDEX steps_failed ON steps (step, started_at) WHERE status = 'failed';
CREATE UNIQUE INDEX batches_idempotency ON batches (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX batches_change ON batches (change);
CREATE INDEX results_run ON results (run_id);
CREATE VIEW v_runs AS SELECT r.id, r.project, r.chain, nullif(lower(hex(r.spec_hash)), '') AS spec_hash, r.status, r.kind, r.label, r.parent_run_id, r.root_run_id, r.batch_id, r.batch_key, r.arm, r.sample, nullif(lower(hex(r.inputs_hash)), '') AS inputs_hash, nullif(lower(hex(r.output_hash)), '') AS output_hash, coalesce(r.output_text, (SELECT CAST(p.body AS TEXT) FROM payloads p WHERE p.hash = r.output_hash AND p.codec = 'json')) AS output, r.error_code, r.error_message, r.error_path, strftime('%Y-%m-%dT%H:%M:%S', r.started_at / 1000000, 'unixepoch') || printf('.%06dZ', r.started_at % 1000000) AS started_at, strftime('%Y-%m-%dT%H:%M:%S', r.finished_at / 1000000, 'unixepoch') || printf('.%06dZ', r.finished_at % 1000000) AS finished_at, r.duration_us, r.steps_total, r.steps_ok, r.steps_failed, r.steps_skipped, r.steps_reused, r.tokens_in, r.tokens_out, r.cost_nano, r.trace_lost, strftime('%Y-%m-%dT%H:%M:%S', r.kept_at / 1000000, 'unixepoch') || printf('.%06dZ', r.kept_at % 1000000) AS kept_at, r.process_id, r.source FROM runs r;
CREATE VIEW v_steps AS SELECT s.run_id, r.project, r.chain, s.path, s.step, s.kind, s.sort, s.status, s.model, s.backend, s.adapter, nullif(lower(hex(s.reuse_key)), '') AS reuse_key, nullif(lower(hex(s.output_hash)), '') AS output_hash, coalesce(s.output_text, (SELECT CAST(p.body AS TEXT) FROM payloads p WHERE p.hash = s.output_hash AND p.codec = 'json')) AS output, s.origin_run_id, s.origin_path, s.cause_path, s.error_code, s.error_message, s.attempts, strftime('%Y-%m-%dT%H:%M:%S', s.started_at / 1000000, 'unixepoch') || printf('.%06dZ', s.started_at % 1000000) AS started_at, strftime('%Y-%m-%dT%H:%M:%S', s.finished_at / 1000000, 'unixepoch') || printf('.%06dZ', s.finished_at % 1000000) AS finished_at, s.duration_us, s.queue_us, s.ttft_us, s.tokens_in, s.tokens_out, s.cost_nano FROM steps s JOIN runs r ON r.id = s.run_id;
CREATE VIEW v_attempts AS SELECT a.run_id, a.path, a.n, a.reason, a.status, a.process_id, a.backend, a.model, a.base, a.adapter, nullif(lower(hex(a.adapter_hash)), '') AS adapter_hash, nullif(lower(hex(a.request_hash)), '') AS request_hash, coalesce(a.request_text, (SELECT CAST(p.body AS TEXT) FROM payloads p WHERE p.hash = a.request_hash AND p.codec = 'json')) AS request, nullif(lower(hex(a.response_hash)), '') AS response_hash, coalesce(a.response_text, (SELECT CAST(p.body AS TEXT) FROM payloads p WHERE p.hash = a.response_hash AND p.codec = 'json')) AS response, a.http_status, a.error_code, a.error_message, a.finish_reason, a.served_model, strftime('%Y-%m-%dT%H:%M:%S', a.started_at / 1000000, 'unixepoch') || printf('.%06dZ', a.started_at % 1000000) AS started_at, a.duration_us, a.ttft_us, a.tokens_in, a.tokens_out, a.cost_nano, a.tokens_cached, a.gauges FROM attempts a;
CREATE VIEW v_batches AS SELECT b.id, b.project, b.kind, b.chain, (SELECT CAST(p.body AS TEXT) FROM payloads p WHERE p.hash = b.edits_hash AND p.codec = 'json') AS edits, (SELECT CAST(p.body AS TEXT) FROM payloads p WHERE p.hash = b.plan_hash AND p.codec = 'json') AS plan, b.status, b.total, b.done, b.summary, strftime('%Y-%m-%dT%H:%M:%S', b.created_at / 1000000, 'unixepoch') || printf('.%06dZ', b.created_at % 1000000) AS created_at, strftime('%Y-%m-%dT%H:%M:%S', b.finished_at / 1000000, 'unixepoch') || printf('.%06dZ', b.finished_at % 1000000) AS finished_at, b.process_id FROM batches b;
COMMIT;
