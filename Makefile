# Every target makes sure of the set-up first (milliseconds once it is there). `make help` lists them.
# STACK: which Pulumi.<stack>.yaml (STACKS: several). SITE: which sites/<site>.yaml, the stack's own by default. ARGS: passed on.
STACK ?= lab
SITE ?=
ARGS ?=
# Read from the environment, where no shell takes them apart. EXPORT: a file to restore a state from. FORMAT: of outputs.
# NAME, FROM, CLASS, BRIDGE: of a new stack. A, B: two stacks. APP, TO: an application, and a commit of it.
# PRODUCT, VERSION, SIZE, DAYS, TENANT, OWNER, ROUTE: of an instance.
# HOST, FILE: of a Portainer and its backup.
export SITE STACKS EXPORT FORMAT NAME FROM CLASS BRIDGE A B APP TO HOST FILE PRODUCT VERSION SIZE DAYS TENANT OWNER ROUTE

# The environment's own Python once there is one: it starts without the detour over the machine's.
PYTHON := $(if $(wildcard .venv/bin/python),.venv/bin/python,python3)
SETUP = $(PYTHON) -m setup
ON = --stack '$(STACK)' --site '$(SITE)' -- $(ARGS)

.PHONY: help up preview policies review outputs history rollback preflight drift commands down refresh recover state-check state-restore env check test soak
.PHONY: portainer-backup portainer-restore
.PHONY: instances instance-new instance-stop instance-start instance-extend instance-resize instance-delete
.PHONY: instance-show instance-history instance-secrets instance-preview instance-drift hosting-ticker hosting-unit
.PHONY: stacks matrix diff new-stack template images docs clean
.PHONY: lab-up lab-server lab-status lab-down lab-purge
.DEFAULT_GOAL := help

help: ## list the targets
	@sed -n 's/\$$\$$/$$/; s/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | while IFS="$$(printf '\t')" read -r a b; do printf '  %-17s %s\n' "$$a" "$$b"; done

up: ## bring the stack up, with everything it needs: make up [STACK=acceptance] [SITE=lab]
	@$(SETUP) up $(ON)

preview: ## show what `make up` would do
	@$(SETUP) preview $(ON)

outputs: ## what the stack tells others: make outputs STACK=acceptance FORMAT=json|env|ansible|md
	@$(SETUP) outputs $(ON)

history: ## what was released of an application: make history STACK=acceptance APP=guestbook [ARGS=--json]
	@$(SETUP) history $(ON)

rollback: ## an earlier version of an application again: make rollback STACK=acceptance APP=guestbook [TO=<commit>]
	@$(SETUP) rollback $(ON)

preflight: ## check everything that the first `make up` depends on: make preflight STACK=acceptance [ARGS=--json]
	@$(SETUP) preflight $(ON)

review: ## preview stacks as one comment: make review STACKS='acceptance integration' [ARGS=--post]
	@$(SETUP) review -- --stacks '$(STACKS)' --site '$(SITE)' $(ARGS)

policies: ## whether what a stack's state holds meets the rules of policies/
	@$(SETUP) policies $(ON)

drift: ## report what differs between the state and the world: make drift [ARGS=--json]
	@$(SETUP) drift $(ON)

down: ## destroy the stack, and stop the lab when nothing is left on it
	@$(SETUP) down $(ON)

commands: ## print the commands that `make up` runs on the hosts, without secrets
	@$(SETUP) commands $(ON)

refresh: ## take the world's facts into the state
	@$(SETUP) refresh $(ON)

recover: ## after a crash: settle what was pending, then up
	@$(SETUP) recover $(ON)

portainer-backup: ## Portainer's own data into an encrypted file: make portainer-backup STACK=acceptance [HOST=]
	@$(SETUP) portainer-backup $(ON)

portainer-restore: ## Portainer's data from such a file: make portainer-restore STACK=acceptance [HOST=] FILE=<file>
	@$(SETUP) portainer-restore $(ON)

state-check: ## is the stack's state whole, ours and restorable: make state-check STACK=acceptance [ARGS=--json]
	@$(SETUP) state-check $(ON)

state-restore: ## restore a state from an export: make state-restore STACK=acceptance EXPORT=<file>
	@$(SETUP) state-restore $(ON)

instances: ## instances of products, with ports, state and time left: make instances [ARGS=--json]
	@$(SETUP) instances $(ON)

instance-new: ## an instance of a product: make instance-new PRODUCT=odoo NAME=shop [SIZE=small] [DAYS=14] [ROUTE=name|none] [ARGS='--set …']
	@$(SETUP) instance-new $(ON)

instance-stop: ## stop one, its data stays: make instance-stop NAME=shop
	@$(SETUP) instance-stop $(ON)

instance-start: ## start one again
	@$(SETUP) instance-start $(ON)

instance-extend: ## more time for one: make instance-extend NAME=shop DAYS=7
	@$(SETUP) instance-extend $(ON)

instance-resize: ## another size, version or setting: make instance-resize NAME=shop SIZE=medium
	@$(SETUP) instance-resize $(ON)

instance-delete: ## remove one with its data: make instance-delete NAME=shop [ARGS=--keep-volumes]
	@$(SETUP) instance-delete $(ON)

instance-show: ## all about one, as JSON
	@$(SETUP) instance-show $(ON)

instance-history: ## what happened to one
	@$(SETUP) instance-history $(ON)

instance-secrets: ## passwords that were made up for one
	@$(SETUP) instance-secrets $(ON)

instance-preview: ## what its engine would change
	@$(SETUP) instance-preview $(ON)

instance-drift: ## what differs from what is wanted of one
	@$(SETUP) instance-drift $(ON)

hosting-ticker: ## look after all instances until told to end: deadlines, interrupted work, ports
	@$(SETUP) hosting-ticker $(ON)

hosting-unit: ## print a unit of systemd that runs the ticker on this machine
	@$(SETUP) hosting-unit $(ON)

stacks: ## every stack with class, site, hosts, version, drift, last update: make stacks [STACKS='a b'] [ARGS=--json]
	@$(SETUP) stacks -- $(ARGS)

matrix: ## the table of what differs between environments: make matrix [STACKS='a b']
	@$(SETUP) matrix

diff: ## settings and running versions of two environments: make diff A=acceptance B=integration
	@$(SETUP) diff

new-stack: ## a new environment from another: make new-stack NAME=casino-x FROM=acceptance [CLASS=client] [BRIDGE=…]
	@$(SETUP) new-stack

env: ## print shell exports: eval "$$(make -s env)", then plain `pulumi up --stack lab`
	@$(SETUP) env $(ON)

check: ## format, lint, types, unit tests: seconds
	@$(SETUP) check -- $(ARGS)

test: ## all tests: unit, lab, browser
	@$(SETUP) test -- $(ARGS)

lab-up: ## start the lab site on this machine
	@$(SETUP) lab-up $(ON)

lab-server: ## a server in the lab that is there already, with somebody else's things on it
	@$(SETUP) lab-server $(ON)

lab-status: ## what runs in the lab
	@$(SETUP) lab-status $(ON)

lab-down: ## stop the lab; its VMs are there again after `make lab-up`
	@$(SETUP) lab-down $(ON)

lab-purge: ## remove the lab with everything in it
	@$(SETUP) lab-purge $(ON)

template: ## import a cloud image as a template on a real site: make template SITE=main ARGS='--help'
	@$(SETUP) template $(ON)

images: ## build, push and lock the project's own images: make images SITE=main
	@$(SETUP) images $(ON)

soak: ## what takes longer than a test may: killed at every moment
	@$(SETUP) soak -- $(ARGS)

docs: ## write the pages and schemas that come from the types
	@$(SETUP) docs -- $(ARGS)

clean: ## remove what set-up made in this checkout (not the lab, not any state)
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
